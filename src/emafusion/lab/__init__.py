"""What the verbs about learning and evaluation do, as plain functions on data frames."""
