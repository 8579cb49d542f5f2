"""Estimates, evidence so far and the objective -> the next step."""
