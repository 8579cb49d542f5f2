"""The shelf: what clients ask to be kept for them: responses, files, batches."""
