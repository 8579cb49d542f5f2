"""The report of a replay: one page, the same as pictures, and the same as JSON."""
