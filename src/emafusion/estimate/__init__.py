"""Features x candidates -> Estimates of quality, its uncertainty, cost and latency. Pure, numpy."""
