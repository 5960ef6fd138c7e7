"""Submitted files as grids of text: CSV, Excel, Stata and SPSS, told apart by name and content."""

from povmon.survey.readers.grid import Grid, Source
from povmon.survey.readers.open import READABLE, read_source, unreadable

__all__ = ["READABLE", "Grid", "Source", "read_source", "unreadable"]
