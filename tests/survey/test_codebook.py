from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from povmon.errors import PovmonError
from povmon.survey import FORMS
from povmon.survey.codebook import as_html, codebook, write


def test_every_field_of_every_form_has_a_row() -> None:
    frame = codebook()
    assert len(frame) == sum(len(form.fields) for form in FORMS.values())
    keys = frame[frame["key"] == "key"].groupby("form")["name"].agg(tuple).to_dict()
    assert keys == {name: form.key for name, form in FORMS.items()}
    assert (frame["label_zh"] != "").all()


def test_the_page_is_closed_and_needs_no_network() -> None:
    page = as_html()
    assert "http" not in page and "<script" not in page
    opened: list[str] = []

    class Balance(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in ("meta", "br"):
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Balance().feed(page)
    assert opened == []


def test_both_files_are_written_and_read_back(tmp_path: Path) -> None:
    page, table = write(tmp_path / "codebook")
    assert page.read_text(encoding="utf-8") == as_html()
    assert table.read_bytes().startswith(b"\xef\xbb\xbf")
    assert len(pd.read_csv(table)) == len(codebook())


def test_an_unwritable_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PovmonError, match="cannot be written"):
        write(tmp_path / "file")
