"""Rows laid in domains and sampling units; sums, variances and intervals made from them."""
