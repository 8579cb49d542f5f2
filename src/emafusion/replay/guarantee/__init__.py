"""Guarantees: tests that hold for any data, what they need, and an audit while serving."""
