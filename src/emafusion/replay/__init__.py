"""The sync driver over recorded answers, and what is measured with it."""
