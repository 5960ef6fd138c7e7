"""Warm kernels as Jupyter's clients see them."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import AsyncKernelManager

from warmkernel import Child
from warmkernel.__main__ import main
from warmkernel.provisioner import TEMPLATES, WarmProvisioner

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="warm starts need Linux")


@pytest.fixture(autouse=True)
def no_templates_left() -> Iterator[None]:
    """Each test begins without templates, and leaves none."""
    yield
    for _, template in TEMPLATES._known.values():
        template.close()
    TEMPLATES._known.clear()
    TEMPLATES._failed.clear()


@asynccontextmanager
async def kernel(**options: Any) -> AsyncIterator[tuple[AsyncKernelManager, Any]]:
    """A running kernel of the kernelspec, and its client."""
    manager = AsyncKernelManager(kernel_name="warm")
    await manager.start_kernel(**options)
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=120)
        yield manager, client
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


async def printed(client: Any, source: str) -> str:
    """What a source prints to a kernel's output stream, or the name of its error."""
    parts: list[str] = []

    def collect(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            parts.append(message["content"]["text"])
        if message["msg_type"] == "error":
            parts.append(message["content"]["ename"])

    await client.execute_interactive(source, output_hook=collect, timeout=120)
    return "".join(parts).strip()


def in_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run a test's coroutine."""

    def run(kernels: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        # In a thread: other tests (a browser's) may have left a loop running in this one.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(lambda: asyncio.run(test(kernels, tmp_path, caplog))).result()

    return run


@in_loop
async def test_a_kernel_is_forked_and_is_a_kernel(kernels: Path, tmp_path: Path, _: Any) -> None:
    env = {**os.environ, "COLOUR": "green"}
    async with kernel(env=env, cwd=str(tmp_path)) as (manager, client):
        assert isinstance(manager.provisioner, WarmProvisioner)
        assert isinstance(manager.provisioner.process, Child)
        about = "import os; print(os.environ['COLOUR'], os.getcwd(), os.getpid(), os.getppid())"
        (template,) = [t for _, t in TEMPLATES._known.values()]
        expected = f"green {tmp_path} {manager.provisioner.pid} {template.pid}"
        assert await printed(client, about) == expected
        assert await printed(client, "1 / 0") == "ZeroDivisionError"
        pid = manager.provisioner.pid
    assert not Path(f"/proc/{pid}").exists()
    assert template.usable


@in_loop
async def test_two_kernels_share_nothing(kernels: Path, tmp_path: Path, _: Any) -> None:
    async with kernel() as (one, first), kernel() as (two, second):
        assert one.provisioner.process._template is two.provisioner.process._template
        source = "import json, random; json.mine = 1; x = 1; print(random.random())"
        drawn = await printed(first, source)
        again = await printed(second, "import json, random; print(random.random())")
        assert drawn != again
        assert await printed(second, "print('x' in globals(), hasattr(json, 'mine'))") == (
            "False False"
        )


@in_loop
async def test_an_interrupt_stops_a_cell_and_keeps_the_kernel(
    kernels: Path, tmp_path: Path, _: Any
) -> None:
    async with kernel() as (manager, client):
        await printed(client, "x = 7")
        mark = tmp_path / "begun"
        source = f"import time; open({str(mark)!r}, 'w').close(); time.sleep(600)"
        cell = asyncio.ensure_future(printed(client, source))
        while not mark.exists():
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        await manager.interrupt_kernel()
        assert await cell == "KeyboardInterrupt"
        assert await printed(client, "print(x)") == "7"


@in_loop
async def test_a_restarted_kernel_sees_edited_code(kernels: Path, tmp_path: Path, _: Any) -> None:
    module = tmp_path / "edited.py"
    module.write_text("value = 'old'")
    async with kernel(cwd=str(tmp_path)) as (manager, client):
        assert await printed(client, "import edited; print(edited.value)") == "old"
        module.write_text("value = 'newer'")
        before = manager.provisioner.pid
        await manager.restart_kernel(now=True)
        await client.wait_for_ready(timeout=120)
        assert await printed(client, "import edited; print(edited.value)") == "newer"
        assert manager.provisioner.pid != before and manager.provisioner.process.poll() is None


@pytest.mark.slow
@in_loop
async def test_a_changed_lock_file_starts_a_new_template(
    kernels: Path, tmp_path: Path, _: Any
) -> None:
    async with kernel() as (manager, client):
        old = manager.provisioner.process._template
        async with kernel() as (same, _client):
            assert same.provisioner.process._template is old
        kernels.write_text("two", encoding="utf-8")
        async with kernel() as (later, newer):
            assert later.provisioner.process._template is not old
            assert await printed(newer, "print(1)") == "1"
            assert await printed(client, "print(2)") == "2"  # the old kernel lives on
    end = time.monotonic() + 20
    while Path(f"/proc/{old.pid}/cwd").exists() and time.monotonic() < end:
        await asyncio.sleep(0.05)
    assert old._process.poll() is not None, "the old template ends with its last kernel"


@pytest.mark.slow
@in_loop
async def test_a_killed_template_takes_its_kernels_along_and_is_replaced(
    kernels: Path, tmp_path: Path, _: Any
) -> None:
    async with kernel() as (manager, client):
        assert await printed(client, "print(1)") == "1"
        old = manager.provisioner.process._template
        os.kill(old.pid, signal.SIGKILL)
        end = time.monotonic() + 20
        while await manager.is_alive() and time.monotonic() < end:
            await asyncio.sleep(0.02)
        assert not await manager.is_alive()
    async with kernel() as (manager, client):
        assert manager.provisioner.process._template is not old
        assert await printed(client, "print(2)") == "2"


@pytest.mark.slow
@in_loop
async def test_where_no_template_can_be_had_an_ordinary_kernel_starts(
    kernels: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    main(["install", "--prefix", str(tmp_path / "spec"), "--preload", "no_such_module"])
    with caplog.at_level(logging.WARNING, logger="traitlets"):
        logging.getLogger("traitlets").propagate = True
        async with kernel() as (manager, client):
            assert not isinstance(manager.provisioner.process, Child)
            assert await printed(client, "print(3)") == "3"
    assert "No warm kernel (no_such_module cannot be preloaded" in caplog.text
    assert "starting an ordinary one" in caplog.text


@in_loop
async def test_the_output_files_are_those_asked_for(kernels: Path, tmp_path: Path, _: Any) -> None:
    with (tmp_path / "out").open("w") as out, (tmp_path / "err").open("w") as err:
        async with kernel(stdout=out, stderr=err) as (_, client):
            await printed(client, "import os; os.write(1, b'to out'); os.write(2, b'to err')")
    # ipykernel also shows in the notebook what arrives there.
    assert (tmp_path / "out").read_text() == "to out"
    assert "to err" in (tmp_path / "err").read_text()
    assert "to out" not in (tmp_path / "err").read_text()


def test_the_kernelspec_names_this_interpreter_and_the_provisioner(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["install", "--prefix", str(tmp_path), "--name", "mine", "--preload", "numpy", "pandas"])
    path = tmp_path / "share" / "jupyter" / "kernels" / "mine" / "kernel.json"
    assert capsys.readouterr().out == f"Wrote {path}\n"
    spec = json.loads(path.read_text("utf-8"))
    assert spec["argv"][:3] == [sys.executable, "-m", "ipykernel_launcher"]
    provisioner = spec["metadata"]["kernel_provisioner"]
    assert provisioner["provisioner_name"] == "warm-kernel"
    assert provisioner["config"] == {
        "preload": ["numpy", "pandas"],
        "without": [],
        "lock_file": "requirements.lock",
    }
