"""Curves with pointwise intervals and simultaneous bands."""
