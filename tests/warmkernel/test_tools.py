"""Warm kernels in the tools that run notebooks, each by its own command."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="warm starts need Linux"),
]
# The parent of a warm kernel is the template, and no other process has this command line.
SOURCE = """import os
from pathlib import Path

value = 1
print("warm", "warmkernel.template" in Path(f"/proc/{os.getppid()}/cmdline").read_text())"""


@pytest.fixture
def notebook(tmp_path: Path, kernels: Path) -> Path:
    """A notebook that tells whether its kernel is a warm one, as it looks when executed."""
    parameters = nbformat.v4.new_code_cell("x = 1", id="p", metadata={"tags": ["parameters"]})
    cell = nbformat.v4.new_code_cell(SOURCE, id="c")
    cell["outputs"] = [nbformat.v4.new_output("stream", name="stdout", text="warm True\n")]
    cell["execution_count"] = 2
    parameters["execution_count"] = 1
    path = tmp_path / "notebook.ipynb"
    about = {"language_info": {"name": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[parameters, cell], metadata=about), path)
    return path


def run(*arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_papermill(notebook: Path, tmp_path: Path) -> None:
    made = tmp_path / "made.ipynb"
    run("papermill", "-k", "warm", "-p", "x", "5", notebook, made)
    cells = nbformat.read(made, as_version=4).cells
    assert cells[-1].outputs[0].text == "warm True\n"
    assert any("x = 5" in c.source for c in cells)


def test_nbconvert(notebook: Path) -> None:
    run(
        "nbconvert", "--to", "notebook", "--execute", notebook, "--output", "made.ipynb",
        "--ExecutePreprocessor.kernel_name=warm",
    )  # fmt: skip
    cells = nbformat.read(notebook.with_name("made.ipynb"), as_version=4).cells
    assert cells[-1].outputs[0].text == "warm True\n"


def test_nbval(notebook: Path) -> None:
    kernel = ["--nbval-kernel-name", "warm"]
    out = run("pytest", "--nbval", *kernel, "-p", "no:cacheprovider", "-q", notebook)
    assert "2 passed" in out


def test_the_server_of_jupyterlab(kernels: Path, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--no-browser", f"--port={port}", "--IdentityProvider.token=t", "--allow-root"]
    command = [sys.executable, "-m", "jupyter_server", *options, f"--notebook-dir={tmp_path}"]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path)
    try:
        base = f"http://127.0.0.1:{port}/api/kernels"
        started = [ask(base, {"name": "warm"}) for _ in range(2)]
        templates = children(server.pid)
        assert len(templates) == 1, "the server keeps one template"
        assert len(children(templates[0])) == 2
        ask(f"{base}/{started[0]['id']}/restart", {})
        assert len(children(templates[0])) == 2
    finally:
        server.kill()
        server.wait()
    end = time.monotonic() + 30
    while Path(f"/proc/{templates[0]}").exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert not Path(f"/proc/{templates[0]}").exists(), "it dies with the server"


def ask(address: str, content: dict[str, Any]) -> Any:
    """The server's answer to a request, once it is there to answer."""
    request = urllib.request.Request(
        address, json.dumps(content).encode(), {"Authorization": "token t"}
    )
    end = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)
        except urllib.error.HTTPError:
            raise
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.2)


def children(pid: int) -> list[int]:
    found = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        found += Path(f"/proc/{pid}/task/{thread}/children").read_text().split()
    return [int(c) for c in found]
