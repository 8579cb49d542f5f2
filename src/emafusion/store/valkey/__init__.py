"""State in Valkey or Redis that many replicas share: limits, and what each learned of the moment.

link.py     the client, and what its errors are called
meter.py    counters: each step one script, atomic on the server
scripts.py  those scripts
stream.py   what one replica tells the others

Needs the extra `valkey`. Nothing here is imported unless a config names a server.
"""
