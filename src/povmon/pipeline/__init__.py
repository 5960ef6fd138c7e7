"""Running the stages: what is stale and why, in which order, in which processes."""
