"""The encoding of a text file: found strictly, or refused by name.

UTF-8 (with or without byte-order mark), UTF-16 with its mark, and GB18030 are read. GB18030
gives most byte sequences some meaning, so text that came out as characters nobody writes is
refused too, with the encoding that it more likely is.
"""

from __future__ import annotations

import re

from povmon.errors import PovmonError

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UTF32 = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
_ODD = "[^\x00-\x7f]"
_BESIDE_LATIN = re.compile(f"[A-Za-z]({_ODD})|({_ODD})[A-Za-z]")


def decode(data: bytes, place: str) -> tuple[str, str]:
    """The text of a file and its encoding: "utf-8", "utf-16" or "gb18030".

    Raises
    ------
    PovmonError : the file is empty, no text file, or in another encoding.
    """
    if not data.strip():
        raise PovmonError("the file is empty", where=f"{place}, line 1", todo="send it again")
    if data.startswith(_UTF32):
        raise _wrong_encoding(place, "it begins like UTF-32")
    if data.startswith(_UTF16):
        return _utf16(data, place), "utf-16"
    if b"\x00" in data:
        raise _with_nul(data, place)
    failures = []
    for encoding in ("utf-8", "gb18030"):
        try:
            text = data.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            failures.append(f"not {encoding.upper()} at line {line}")
            continue
        if encoding == "gb18030":
            _check_chinese(text, data, place)
        return text, encoding
    raise _wrong_encoding(place, ", ".join([*failures, *_likely(data)]))


def _utf16(data: bytes, place: str) -> str:
    try:
        text = data.decode("utf-16")
    except UnicodeDecodeError as error:
        raise _wrong_encoding(place, "it begins like UTF-16 but is damaged") from error
    if "\x00" in text:
        raise _with_nul(data, place)
    if not text.strip():
        raise PovmonError("the file is empty", where=f"{place}, line 1", todo="send it again")
    return text


def _with_nul(data: bytes, place: str) -> PovmonError:
    head = data[:400]
    half = len(head) // 5 + 5
    if head[1::2].count(0) > half or head[0::2].count(0) > half:
        return _wrong_encoding(place, "it looks like UTF-16 without a byte-order mark")
    line = data[: data.index(b"\x00")].count(b"\n") + 1
    return PovmonError(
        "the file contains a NUL character, so it is damaged or not a text file",
        where=f"{place}, line {line}",
        todo="save it again as CSV",
    )


def _check_chinese(text: str, data: bytes, place: str) -> None:
    """Refuse text that GB18030 turned into characters which Chinese files do not have."""
    odd = [c for c in set(re.findall(_ODD, text)) if not _is_common(c)]
    if not odd:
        return
    every = re.findall(_ODD, text)
    rare = set(odd)
    share = sum(c in rare for c in every) / len(every)
    latin = any((m.group(1) or m.group(2)) in rare for m in _BESIDE_LATIN.finditer(text))
    if (share > 0.35 and len(every) >= 6) or (share > 0.5 and latin):
        likely = _likely(data) or ["it is neither"]
        raise _wrong_encoding(place, ", ".join(likely))


def _is_common(character: str) -> bool:
    """One of the 3,755 characters of everyday texts (GB 2312, level 1), or a sign."""
    try:
        first = character.encode("gb2312")[0]
    except UnicodeEncodeError:
        return character in "·—…～￥㎡㎏㎜㎝㎞²³°€√×"
    return 0xB0 <= first <= 0xD7 or 0xA1 <= first <= 0xA3


def _likely(data: bytes) -> list[str]:
    """What the bytes may be instead, for the message."""
    found = []
    for encoding, name, pattern in (
        ("big5", "Big5", "[\u4e00-\u9fff]"),
        ("shift_jis", "Shift-JIS", "[\u3041-\u30ff]"),
    ):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        signs = re.findall(_ODD, text)
        if signs and sum(bool(re.match(pattern, c)) for c in signs) > 0.6 * len(signs):
            found.append(f"it looks like {name}")
    high = sum(byte >= 0xC0 for byte in data)
    lone = len(re.findall(rb"(?<![\x80-\xff])[\x80-\xff](?![\x80-\xff])", data))
    if not found and high and lone > 0.8 * high:
        found.append("it looks like Windows-1252 or another Western European encoding")
    return found[:1]


def _wrong_encoding(place: str, detail: str) -> PovmonError:
    return PovmonError(
        f"the file's encoding is not known: UTF-8 and GB18030 were tried ({detail})",
        where=place,
        todo="save the file as CSV in UTF-8",
    )
