"""Differences, ranks and dominance of estimates that may be correlated."""
