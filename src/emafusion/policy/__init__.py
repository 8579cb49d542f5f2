"""Policies: what to do next, from estimates and the evidence so far. Pure."""
