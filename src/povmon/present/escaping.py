"""Text from a survey made safe for Markdown (HTML is escaped with `html.escape`)."""

from __future__ import annotations

import re
from typing import Any

_MARKDOWN_SPECIAL = re.compile(r"([\\`*_\[\]#+!|~<>&$])")


def escape_markdown(value: Any) -> str:
    """Text from a survey made safe inside Markdown: shown as it is, never as markup or HTML."""
    text = _MARKDOWN_SPECIAL.sub(r"\\\1", str(value))
    text = text.replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\&", "&amp;")
    return re.sub(r"[ \t\r\n\f\v]+", " ", text)
