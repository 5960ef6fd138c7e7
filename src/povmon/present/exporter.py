"""An executed notebook becomes a page: nbconvert with the project's own template."""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from povmon.errors import PovmonError
from povmon.present.page import Provenance, render_page, template_folder, words

__all__ = ["export_page", "render_page"]

log = logging.getLogger(__name__)

SHOWN = ("text/html", "text/markdown", "text/plain")
_PICTURES = ("image/png", "image/jpeg", "image/svg+xml", "application/pdf")
_ACTIVE = ("application/javascript", "application/vnd.jupyter.widget-view+json")


def highlight(source: str) -> str:
    """Python source as HTML with Pygments' classes (the colours stand in page.css)."""
    from pygments import highlight as colour  # type: ignore[import-untyped]

    html = colour(source.strip() + "\n", *_highlighter())
    return html.replace("<pre>", '<pre tabindex="0">', 1).strip()


@cache
def _highlighter() -> tuple[Any, Any]:
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
    from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

    return PythonLexer(), HtmlFormatter(cssclass="highlight")


@cache
def _exporter() -> Any:
    from nbconvert import HTMLExporter, TemplateExporter
    from nbconvert.filters import DataTypeFilter
    from traitlets.config import Config

    class PageExporter(HTMLExporter):  # type: ignore[misc]
        """Without HTMLExporter's second parse of the page: it costs seconds on large figures."""

        def from_notebook_node(self, nb: Any, resources: Any = None, **kw: Any) -> Any:
            return TemplateExporter.from_notebook_node(self, nb, resources, **kw)

    settings = Config()
    settings.HTMLExporter.exclude_anchor_links = True
    settings.NbConvertBase.display_data_priority = list(SHOWN)
    made = PageExporter(
        config=settings,
        template_name="povmon",
        extra_template_basedirs=[str(template_folder())],
    )
    made.register_filter("povmon_highlight", highlight)
    made.register_filter("filter_data_type", DataTypeFilter(parent=made))
    return made


def _place(cell: Any, position: int) -> str:
    return f"cell {position + 1} ({cell.get('id', 'no id')})"


def _check_output(output: Any, place: str) -> bool:
    """True when an output belongs in the page; what a page must not hide is an error."""
    kind = output["output_type"]
    if kind == "error":
        raise PovmonError(
            f"the notebook failed: {output.get('ename', '')}: {output.get('evalue', '')}",
            where=place,
            todo="run the notebook again when the cause is removed",
        )
    if kind == "stream":
        if output.get("name") == "stderr":
            log.warning("%s wrote to the error stream: %s", place, output["text"].strip())
            return False
        return True
    data = output.get("data", {})
    if any(mime in data for mime in _ACTIVE):
        raise PovmonError(
            "the output needs a script", where=place, todo="show a Text, Table or Figure"
        )
    if "text/html" not in data and any(mime in data for mime in _PICTURES):
        raise PovmonError(
            "the picture has no text that describes it",
            where=place,
            todo="show it as povmon.present.display.Figure(fig, caption, alt)",
        )
    return True


def _in_language(cell: Any, language: str) -> bool:
    if cell["cell_type"] != "markdown":
        return True
    return bool(cell.get("metadata", {}).get("lang", language) == language)


def _prepared(notebook: Any, language: str) -> Any:
    """A copy of the notebook with the page's cells and outputs only."""
    prepared = copy.deepcopy(notebook)
    prepared["cells"] = [c for c in prepared["cells"] if _in_language(c, language)]
    for position, cell in enumerate(prepared["cells"]):
        if cell["cell_type"] == "code":
            place = _place(cell, position)
            cell["outputs"] = [o for o in cell["outputs"] if _check_output(o, place)]
    return prepared


def _load(notebook: Any) -> Any:
    import nbformat

    if not isinstance(notebook, (str, Path)):
        return notebook
    path = Path(notebook)
    try:
        return nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise PovmonError(
            "there is no such notebook", where=str(path), todo="run the notebook first"
        ) from None
    except (nbformat.reader.NotJSONError, ValueError) as error:
        raise PovmonError(
            f"the notebook cannot be read ({error})", where=str(path), todo="make it again"
        ) from error


def export_page(
    notebook: Any,
    *,
    title: str,
    provenance: Provenance,
    synthetic_notice: str | None = None,
    language: str = "en",
    subtitle: str = "",
    breadcrumbs: Sequence[tuple[str, str]] = (("All areas", "../index.html"),),
) -> str:
    """A self-contained page from an executed notebook.

    Parameters
    ----------
    notebook : nbformat node, or path of the .ipynb file.
    title : plain text; the notebook's own first h1 is dropped in favour of it.
    provenance : see `render_page`.
    synthetic_notice : the banner's words on generated data; None for real data.
    language : `en` or `zh`; Markdown cells whose metadata ``lang`` is another are left out.
    subtitle : plain text under the title.
    breadcrumbs : (label, relative address) of the pages above; default: the survey's index.

    Returns
    -------
    str : HTML; the same notebook gives the same bytes.

    Raises
    ------
    PovmonError : an error among the outputs, a picture without alt text, an output that needs
        a script, or one that would fetch something.
    """
    node = _prepared(_load(notebook), language)
    body, _ = _exporter().from_notebook_node(node, {"povmon_text": words(language)})
    return render_page(
        title,
        body,
        subtitle=subtitle,
        provenance=provenance,
        synthetic_notice=synthetic_notice,
        language=language,
        breadcrumbs=breadcrumbs,
    )
