"""Poverty and inequality, and changes of them, split into parts that add up."""
