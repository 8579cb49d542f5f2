"""What a replay was worth: plain functions on arrays, one number a query as the primitive."""
