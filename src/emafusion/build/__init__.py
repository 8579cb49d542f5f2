"""Composition root: the only place that knows concrete parts.

parts.py      judges, policy, estimator: names -> factories
upstreams.py  dialects and local models: names -> factories
opening.py    a config -> a service that is ready to answer, and everything closed after
"""
