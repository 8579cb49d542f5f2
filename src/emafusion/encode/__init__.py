"""Query -> Features: numbers and labels, before any call."""
