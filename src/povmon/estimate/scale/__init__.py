"""Data that are read ready for estimating, or do not fit into memory."""
