"""Where a submitted row came from: file, sheet and line."""

from __future__ import annotations

# Columns that every submitted and every accepted row carries beside the form's own.
ORIGIN = ["source_file", "source_sheet", "source_line", "submitted_by"]


def origin_text(file: str, sheet: str = "", line: int = 0) -> str:
    """File, sheet and line in words; what is not known is left out.

    Examples
    --------
    >>> origin_text("wumeng/52/户表.xlsx", "household", 12), origin_text("a.csv", line=3)
    ('wumeng/52/户表.xlsx, household, line 12', 'a.csv, line 3')
    """
    parts = [file, sheet, f"line {line}" if line else ""]
    return ", ".join(part for part in parts if part)
