"""Write the present sha256 and row count of each reference file into its sidecar.

Run it from the checkout after a deliberate change of a file; loading refuses a file whose
checksum differs from its sidecar's:

    .venv/bin/python tools/seal_reference.py
"""

from __future__ import annotations

import csv
import hashlib
import re
from pathlib import Path

REFERENCE = Path(__file__).resolve().parent.parent / "data" / "raw" / "reference"


def seal(sidecar: Path) -> None:
    """Rewrite the lines `sha256:` and `rows:` of one sidecar."""
    stem = sidecar.name.removesuffix(".meta.yml")
    table = sidecar.with_name(f"{stem}.csv")
    data = table if table.is_file() else sidecar.with_name(f"{stem}.yml")
    digest = hashlib.sha256(data.read_bytes()).hexdigest()
    text = sidecar.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^sha256:.*$", f"sha256: {digest}", text, count=1)
    if data == table:
        with data.open(encoding="utf-8", newline="") as handle:
            rows = sum(1 for _ in csv.DictReader(handle))
        text = re.sub(r"(?m)^rows:.*$", f"rows: {rows}", text, count=1)
    sidecar.write_text(text, encoding="utf-8")


def main() -> None:
    """Seal every sidecar."""
    for sidecar in sorted(REFERENCE.glob("*.meta.yml")):
        seal(sidecar)


if __name__ == "__main__":
    main()
