"""A notebook's cells run in a Jupyter server's kernel, so that who opens it finds its state."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import Any

PATIENCE = 120  # seconds for a server or a kernel to answer


def run_cells(process: Any, path: str, notebook: Path, kernel: str) -> str:
    """Give a notebook a kernel and run its code cells there; returns a sentence on the result.

    JupyterLab joins the kernel that its server already has for a path, whenever it opens it.

    Parameters
    ----------
    process : the running server.
    path : the notebook, relative to the server's folder.
    notebook : its file.
    kernel : name of the kernel.
    """
    import nbformat
    from jupyter_core.paths import jupyter_runtime_dir

    try:
        cells = nbformat.read(notebook, as_version=4).cells
        runtime = Path(jupyter_runtime_dir())
        about = _running(process, runtime / f"jpserver-{process.pid}.json")
        wanted = {"path": path, "name": path, "type": "notebook", "kernel": {"name": kernel}}
        session = _post(f"{about['url']}api/sessions", about["token"], wanted)
        connection = runtime / f"kernel-{session['kernel']['id']}.json"
        failed = _execute(connection, [c.source for c in cells if c.cell_type == "code"])
    except (OSError, RuntimeError, ValueError) as error:
        return f"{path}: its cells were not run ({error}); run them in JupyterLab."
    if failed:
        return (
            f"{path}: its cells ran until one failed ({failed}); the variables before it are there."
        )
    return f"{path}: its cells have run; their variables are at hand."


def _running(process: Any, file: Path) -> dict[str, Any]:
    """What a server writes about itself once it answers."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            return dict(json.loads(file.read_text("utf-8")))
        except (OSError, ValueError):
            time.sleep(0.1)  # not yet there, or half written
    raise RuntimeError("JupyterLab did not start")


def _post(address: str, token: str, content: Any) -> Any:
    request = urllib.request.Request(
        address,
        data=json.dumps(content).encode(),
        headers={"Authorization": f"token {token}", "Content-Type": "application/json"},
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=PATIENCE) as answer:
        return json.load(answer)


def _execute(connection: Path, sources: list[str]) -> str:
    """Run cells in a kernel until one fails; returns that one's error, or nothing."""
    from jupyter_client import BlockingKernelClient

    client = BlockingKernelClient()
    client.load_connection_file(str(connection))
    client.start_channels(hb=False)  # on a busy machine a late heartbeat is no death
    try:
        client.wait_for_ready(timeout=PATIENCE)
        for number, source in enumerate(sources, 1):
            if not source.strip():
                continue
            answer = client.execute_interactive(
                source, allow_stdin=False, store_history=True, output_hook=lambda _: None
            )["content"]
            if answer["status"] != "ok":
                return f"In [{number}]: {answer.get('ename', answer['status'])}"
        return ""
    finally:
        client.stop_channels()
