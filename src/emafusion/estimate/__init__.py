"""Features x candidates -> Estimates: quality, its uncertainty, cost and latency."""
