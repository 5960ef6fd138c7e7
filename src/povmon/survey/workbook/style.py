"""How the form workbook looks: few colours, each with one meaning."""

from __future__ import annotations

from copy import copy

from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side

from povmon.survey.fields import Field

FACE = "Microsoft YaHei"
INK, MUTED, ACCENT = "1B1F24", "5A6572", "1F3F5B"
GOOD, WRONG = "1E6B3A", "9C1C1C"


def _fill(colour: str) -> PatternFill:
    return PatternFill("solid", start_color=colour, end_color=colour)


def font(size: float = 10, colour: str = INK, bold: bool = False, italic: bool = False) -> Font:
    """The workbook's font."""
    return Font(name=FACE, size=size, color=colour, bold=bold, italic=italic)


HEAD_FILL, NAME_FILL, GIVEN_FILL = _fill(ACCENT), _fill("DCE5EE"), _fill("EEF0F2")
INPUT_FILL, MISSING_FILL, WRONG_FILL = _fill("FFFFFF"), _fill("FFE8B3"), _fill("F6C9C5")
_LINE = Side(style="thin", color="C3CAD2")
GRID = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
OPEN, LOCKED = Protection(locked=False), Protection(locked=True)
LEFT = Alignment(horizontal="left", vertical="center")
WRAPPED = Alignment(horizontal="left", vertical="top", wrap_text=True)
HEADING = Alignment(horizontal="center", vertical="center", wrap_text=True)

TEXT = Alignment(horizontal="left", vertical="center", indent=1)

_DECIMALS = {"yuan", "10,000 yuan", "hectares", "mu", "tonnes", "m2", "km"}
_MONEY = ("income_", "consumption_", "debt")  # in the survey's own unit


def number_format(field: Field) -> str:
    """Number format of a field's cells: identifiers are text, so that leading zeros stay."""
    if field.dtype == "id":
        return "@"
    if field.name == "year":
        return "0"
    if field.dtype == "integer":
        return "#,##0"
    if field.name.startswith("w_"):
        return "#,##0.00##"
    return "#,##0.00" if field.unit in _DECIMALS or field.name.startswith(_MONEY) else "General"


def alignment(field: Field) -> Alignment:
    """Numbers stand to the right, texts to the left with a little room before them."""
    return TEXT if field.dtype in ("id", "code", "boolean") else Alignment(vertical="center")


def width(field: Field, longest: int) -> float:
    """Width of a field's column in characters.

    Parameters
    ----------
    field : the field.
    longest : display width of its longest entry of a code list, 0 where it has none.
    """
    if field.dtype == "id":
        return 17
    if longest:
        return min(max(longest + 4, 14), 38)
    # The variable's name stands in one line below the label, in smaller letters.
    return 10 if field.name in ("year", "line") else max(14, 2 + 0.9 * len(field.name))


def display_width(text: str) -> int:
    """Columns a text takes: Chinese characters are twice as wide as Latin ones."""
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text)


def like(cell: Cell, pattern: Cell) -> None:
    """Give a cell the style of another. Openpyxl looks each part of a style up: that is slow."""
    cell._style = copy(pattern._style)


def head(cell: Cell) -> None:
    """Make a cell part of a table's heading."""
    cell.font, cell.fill = font(10, "FFFFFF", bold=True), HEAD_FILL
    cell.alignment, cell.border = HEADING, GRID


def title(cell: Cell) -> None:
    """Make a cell a sheet's title."""
    cell.font, cell.alignment, cell.border = font(14, ACCENT, bold=True), LEFT, Border()
    cell.protection = LOCKED


def input_cell(cell: Cell, field: Field) -> None:
    """Make a cell one to be filled in."""
    cell.font, cell.fill, cell.border = font(), INPUT_FILL, GRID
    cell.number_format, cell.protection = number_format(field), OPEN
    cell.alignment = alignment(field)


def given_cell(cell: Cell, field: Field | None = None) -> None:
    """Make a cell one that is filled in already, and locked."""
    cell.font, cell.fill, cell.border = font(colour=MUTED), GIVEN_FILL, GRID
    cell.number_format = number_format(field) if field else "General"
    cell.alignment = alignment(field) if field else TEXT
    cell.protection = LOCKED
