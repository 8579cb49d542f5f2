"""Baselines as policies: what everything else is compared with, replayed by the same flow."""
