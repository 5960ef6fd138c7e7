"""From an executed notebook to a page."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_output

from povmon.errors import PovmonError
from povmon.present.display import Table, Text
from povmon.present.exporter import export_page

FRAME = pd.DataFrame({"k": ["a"], "v": [1.5]})


@pytest.fixture
def notebook(samples: Any) -> Any:
    return samples.notebook(
        samples.markdown("# Own title\n\nFirst *words*.", "intro"),
        samples.code('survey = "demo"', "parameters"),
        samples.markdown("## English heading", "en"),
        samples.markdown("## 中文标题", "zh", "zh"),
        samples.markdown("Neutral.", "neutral", None),
        samples.code("table(x)", "table", Table(FRAME, "A table")),
        samples.code("text(x)", "text", Text("In **Wumeng** 5 < 6.")),
    )


def export(notebook: Any, **others: Any) -> str:
    return export_page(notebook, title="The page", provenance={"survey": "demo"}, **others)


def test_cells_become_prose_code_and_output(notebook: Any) -> None:
    page = export(notebook)
    assert page.count('<details class="code">') == 3
    assert 'class="highlight"' in page
    assert '<span class="label">Table 1.</span> A table' in page
    assert "In <strong>Wumeng</strong> 5 &lt; 6." in page
    assert "Own title" not in page
    assert "First <em>words</em>." in page


def test_only_the_pages_language_is_shown(notebook: Any) -> None:
    english, chinese = export(notebook), export(notebook, language="zh")
    assert "English heading" in english
    assert "中文标题" not in english
    assert "中文标题" in chinese
    assert "English heading" not in chinese
    assert "Neutral." in english
    assert "Neutral." in chinese


def test_the_same_notebook_gives_the_same_bytes_and_is_left_alone(
    notebook: Any, tmp_path: Path
) -> None:
    before = nbformat.writes(notebook)
    path = tmp_path / "n.ipynb"
    nbformat.write(notebook, path)
    assert export(notebook) == export(path)
    assert nbformat.writes(notebook) == before


def test_no_foreign_page_furniture(notebook: Any) -> None:
    page = export(notebook).lower()
    for word in ("require.js", "mathjax", "cdn", "jp-notebook", "googleapis"):
        assert word not in page


def failing(output: Any) -> Any:
    return nbformat.v4.new_notebook(cells=[new_code_cell("x", id="bad", outputs=[output])])


def test_an_error_output_makes_no_page() -> None:
    error = new_output("error", ename="ValueError", evalue="no", traceback=[])
    with pytest.raises(PovmonError, match=r"cell 1 \(bad\): the notebook failed: ValueError: no"):
        export(failing(error))


def test_the_error_stream_is_told_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    stream = new_output("stream", name="stderr", text="UserWarning: look")
    with caplog.at_level(logging.WARNING):
        page = export(failing(stream))
    assert "UserWarning" not in page
    assert "cell 1 (bad) wrote to the error stream: UserWarning: look" in caplog.text


def test_printed_text_is_escaped() -> None:
    page = export(failing(new_output("stream", name="stdout", text="<b>hello</b>")))
    assert "&lt;b&gt;hello&lt;/b&gt;" in page


@pytest.mark.parametrize(
    ("mime", "message"),
    [("image/png", "no text that describes it"), ("application/javascript", "needs a script")],
)
def test_outputs_that_a_page_cannot_carry_are_refused(mime: str, message: str) -> None:
    with pytest.raises(PovmonError, match=message):
        export(failing(new_output("display_data", {mime: "x"})))


def test_a_missing_or_broken_notebook_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(PovmonError, match="no such notebook"):
        export(tmp_path / "absent.ipynb")
    broken = tmp_path / "broken.ipynb"
    broken.write_text("{", "utf-8")
    with pytest.raises(PovmonError, match="cannot be read"):
        export(broken)
