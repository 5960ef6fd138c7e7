"""JupyterLab for researchers: working copies, and a real server without a browser."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest

from conftest import PROJECT
from povmon import paths
from povmon.errors import PovmonError
from povmon.pipeline import lab


def never(question: str) -> bool:
    raise AssertionError(f"asked: {question}")


@pytest.fixture
def executed(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An executed notebook as the pipeline leaves it."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(root / "jupyter"))  # signatures of notebooks
    path = paths.processed("demo") / "notebooks" / "wumeng" / "indicators.ipynb"
    path.parent.mkdir(parents=True)
    node = nbformat.v4.new_notebook()
    node.metadata = nbformat.from_dict({"kernelspec": {"name": "python3", "display_name": "P"}})
    node.cells = [nbformat.v4.new_code_cell("x = 17", id="x", execution_count=1)]
    nbformat.write(node, path)
    return path


def copied(fresh: bool = False, ask: Any = never) -> Path:
    return lab.working_copy("demo", "wumeng", "indicators", fresh, ask)


def edit(path: Path) -> str:
    """A researcher's change, as JupyterLab saves it; returns the file."""
    node = nbformat.read(path, as_version=4)
    node.cells[-1].source = "mine = 1"
    nbformat.write(node, path)
    return path.read_text("utf-8")


def run_again(executed: Path) -> None:
    """The page is made anew from other data."""
    node = nbformat.read(executed, as_version=4)
    node.cells[0].source = "x = 18"
    node.cells.append(nbformat.v4.new_markdown_cell("more"))
    nbformat.write(node, executed)


def test_the_copy_has_what_ran_and_room_for_more(executed: Path, root: Path) -> None:
    before = executed.read_bytes()
    copy = copied()
    assert copy == root / "notebooks/scratch/demo/wumeng/indicators.ipynb"
    node = nbformat.read(copy, as_version=4)
    nbformat.validate(node)
    assert [c.source for c in node.cells if c.cell_type == "code"] == ["x = 17", ""]
    assert node.cells[0].execution_count == 1
    assert node.metadata.kernelspec.name == lab.kernel()[0]
    assert executed.read_bytes() == before


def test_an_edited_copy_is_opened_again_without_a_question(executed: Path) -> None:
    mine = edit(copied())
    assert copied().read_text("utf-8") == mine


@pytest.mark.parametrize("damage", ["", "{", '{"cells": []}'])
def test_even_a_damaged_copy_is_not_overwritten(executed: Path, damage: str) -> None:
    copied().write_text(damage)
    assert copied(ask=lambda _: False).read_text() == damage


def test_after_a_new_run_the_user_is_asked_and_no_keeps_the_copy(
    executed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = edit(copied())
    run_again(executed)
    questions: list[str] = []
    copy = copied(ask=lambda q: bool(questions.append(q)))
    assert copy.read_text("utf-8") == mine
    assert "Set it aside as indicators-1.ipynb" in questions[0]
    assert "is kept. FRESH=1" in capsys.readouterr().out


@pytest.mark.parametrize(("fresh", "ask"), [(True, never), (False, lambda _: True)])
def test_taking_the_new_one_sets_the_copy_aside(executed: Path, fresh: bool, ask: Any) -> None:
    copied()
    for number in (1, 2):
        mine = edit(copied())
        run_again(executed)
        copy = copied(fresh, ask)
        assert copy.with_name(f"indicators-{number}.ipynb").read_text("utf-8") == mine
        assert "mine" not in copy.read_text("utf-8")
        assert "x = 18" in copy.read_text("utf-8")


def test_an_unknown_report_lists_the_valid_ones(executed: Path) -> None:
    with pytest.raises(PovmonError, match="did you mean 'plan'.*audit, indicators, plan"):
        lab.working_copy("demo", "wumeng", "plam", False, never)


def test_a_page_that_was_not_made_is_an_error(executed: Path) -> None:
    with pytest.raises(PovmonError, match="demo has no executed notebook wumeng/plan"):
        lab.working_copy("demo", "wumeng", "plan", False, never)


def test_git_ignores_working_copies() -> None:
    name = "notebooks/scratch/demo/wumeng/indicators.ipynb"
    done = subprocess.run(["git", "check-ignore", "-q", name], cwd=PROJECT, check=False)
    assert done.returncode == 0


# A real server


@contextmanager
def serving(root: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A command that opens JupyterLab, and what its server writes about itself."""
    runtime = root / "runtime"
    runtime.mkdir()
    places = {f"JUPYTER_{n}_DIR": str(root / n.lower()) for n in ("RUNTIME", "DATA", "CONFIG")}
    environment = {**os.environ, **places, "POVMON_ROOT": str(root), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "povmon.pipeline", *arguments, "--no-browser"]
    with (root / "output").open("w") as output:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=environment, stdout=output, stderr=output, text=True
        )
    try:
        yield process, waited_for(process, lambda: about(runtime))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        assert not list(runtime.glob("jpserver-*.json")), "the server has ended with its command"


def about(runtime: Path) -> Any:
    try:
        return json.loads(next(runtime.glob("jpserver-*.json")).read_text("utf-8"))
    except (StopIteration, ValueError):
        return None


def waited_for(process: subprocess.Popen[str], what: Any, seconds: int = 400) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        assert process.poll() is None, "it ended before"
        time.sleep(0.2)
    raise AssertionError("waited in vain")


def get(server: dict[str, Any], address: str, token: bool = True) -> Any:
    request = urllib.request.Request(f"{server['url']}{address}")
    if token:
        request.add_header("Authorization", f"token {server['token']}")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=60) as answer:
        return json.load(answer) if address.startswith("api") else answer.read().decode()


@pytest.fixture
def own_root(demo_root: Path, tmp_path: Path) -> Path:
    root = tmp_path / "root"
    shutil.copytree(demo_root, root)
    return root


@pytest.mark.slow
def test_an_areas_notebook_opens_with_its_state(own_root: Path) -> None:
    arguments = ("notebook", "--survey", "demo", "--area", "wumeng")
    path = "notebooks/scratch/demo/wumeng/indicators.ipynb"
    with serving(own_root, *arguments) as (process, server):
        assert server["hostname"] in ("localhost", "127.0.0.1") and server["token"]
        with pytest.raises(urllib.error.HTTPError, match="403"):
            get(server, f"api/contents/{path}", token=False)
        node = get(server, f"api/contents/{path}")["content"]
        outputs = [o for c in node["cells"] for o in c.get("outputs", [])]
        assert len(outputs) > 10
        assert not any(o["output_type"] == "error" for o in outputs)
        assert "lab" in get(server, f"lab/tree/{path}").lower()

        waited_for(process, lambda: "variables are" in (own_root / "output").read_text())
        text = (own_root / "output").read_text()
        assert f"{path}: its cells have run; their variables are at hand." in text
        (session,) = get(server, "api/sessions")
        assert session["path"] == path
        assert asked(own_root / "runtime", session["kernel"]["id"], "(survey, area)") == (
            "('demo', 'wumeng')"
        )
        assert "False" in asked(own_root / "runtime", session["kernel"]["id"], "results is None")


def asked(runtime: Path, kernel: str, expression: str) -> str:
    """What a running kernel answers."""
    from jupyter_client import BlockingKernelClient

    client = BlockingKernelClient()
    client.load_connection_file(str(runtime / f"kernel-{kernel}.json"))
    client.start_channels(hb=False)
    try:
        client.wait_for_ready(timeout=60)
        answer = client.execute_interactive(
            "", user_expressions={"x": expression}, output_hook=lambda _: None, timeout=60
        )
        return str(answer["content"]["user_expressions"]["x"]["data"]["text/plain"])
    finally:
        client.stop_channels()


@pytest.mark.slow
def test_lab_opens_the_first_page_with_the_demo_survey_made(own_root: Path) -> None:
    with serving(own_root, "lab") as (_, server):
        assert server["root_dir"] == str(PROJECT)
        page = get(server, f"api/contents/{lab.START}")
        assert page["content"]["metadata"]["kernelspec"]["name"] == "python3"
        specs = get(server, "api/kernelspecs")
        assert specs["default"] == lab.kernel()[0] in specs["kernelspecs"]
    assert "demo: 0 made" in (own_root / "output").read_text()
