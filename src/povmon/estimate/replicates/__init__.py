"""Replicate weights, and variances and intervals computed from them."""
