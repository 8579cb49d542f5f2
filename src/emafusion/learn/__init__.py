"""The loop: from the log to a better artifact."""
