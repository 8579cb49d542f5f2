"""The outcome log, feedback, keys and budgets."""
