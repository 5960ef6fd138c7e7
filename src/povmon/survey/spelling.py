"""When two ways of writing a word are the same: width, case, blanks and signs do not count."""

from __future__ import annotations

import re
import unicodedata

_SIGNS = re.compile(r"[\s_\-–—.,:;*/|\\'\"’、，。；：·()\[\]【】{}<>《》]+")


def spelling(text: str) -> str:
    """A text reduced to its letters and digits: full-width forms made plain, in lower case.

    Examples
    --------
    >>> spelling("Ｗage  Income"), spelling("brick_timber"), spelling("户代码：")
    ('wageincome', 'bricktimber', '户代码')
    """
    normal = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return _SIGNS.sub("", normal).casefold()
