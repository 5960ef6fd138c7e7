"""The kernel that runs a notebook: this very Python, whatever kernelspecs are installed.

In a worker it is forked from the run's template; elsewhere it is started the ordinary way.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import Type

import warmkernel.__main__
from povmon import paths
from povmon.pipeline.environment import LOCK
from povmon.pipeline.preload import KERNEL, KERNEL_WITHOUT
from warmkernel import Template
from warmkernel.modules import PRELOAD
from warmkernel.provisioner import TEMPLATES

# Longest path that a Unix socket may have, less what Jupyter appends to the file's name.
_SOCKET_PATH = 107 - len("-5")
_NUMBERS = itertools.count()

# Options of every kernel: no history file, so kernels do not wait for one another's database.
_ARGUMENTS = ["--HistoryManager.enabled=False", "--IPKernelApp.log_level=40"]
_LOOK = 0.01  # seconds between two looks at a kernel that was killed
# Seconds until a kernel is asked again, because the channel was not joined when it answered.
LISTEN = 0.05

_METADATA: dict[str, Any] = {}


def use_template(number: int) -> None:
    """Have this process's kernels forked from the template behind a descriptor."""
    lock_file = str(paths.project() / "requirements.lock")
    template = Template.adopt(number)
    TEMPLATES.put(template, [*PRELOAD, *KERNEL], KERNEL_WITHOUT, lock_file, os.environ)
    config = {
        "preload": list(KERNEL),
        "without": list(KERNEL_WITHOUT),
        "lock_file": lock_file,
    }
    _METADATA["kernel_provisioner"] = {"provisioner_name": "warm-kernel", "config": config}


def install(prefix: Path) -> Path:
    """Write a kernelspec ``python3`` for JupyterLab; returns its path."""
    lock_file = str(paths.project() / "requirements.lock")
    content = warmkernel.__main__.spec("Python 3 (warm)", KERNEL, (), lock_file)
    return warmkernel.__main__.install(prefix, "python3", content)


def kill_kernels() -> None:
    """End the kernels that this process has started itself; a template ends its own."""
    for pid in ReportKernelManager.running:
        try:
            os.killpg(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue  # it has ended by itself


class ReportKernelClient(AsyncKernelClient):
    """Does not wait for silence when a kernel is ready, but for the end of its first answer."""

    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:
        end = time.monotonic() + (timeout or float("inf"))
        while not await self._answers():
            if not await self._async_is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if time.monotonic() > end:
                raise RuntimeError(f"Kernel didn't respond in {timeout} seconds")

    async def _answers(self) -> bool:
        """Ask who the kernel is; True when the answer and its end on both channels have come."""
        asked = self.kernel_info()
        try:
            reply = await self.get_shell_msg(timeout=1)
            while reply["parent_header"].get("msg_id") != asked:
                reply = await self.get_shell_msg(timeout=1)
            while True:
                told = await self.get_iopub_msg(timeout=LISTEN)
                idle = told["content"].get("execution_state") == "idle"
                if idle and told["parent_header"].get("msg_id") == asked:
                    break
        except Empty:
            return False
        self._handle_kernel_info_reply(reply)
        return True

    wait_for_ready = _async_wait_for_ready


class ReportKernelManager(AsyncKernelManager):
    """Starts `sys.executable` whatever kernelspecs are installed, and knows what it started."""

    client_class = f"{__name__}.ReportKernelClient"
    client_factory = Type(klass=ReportKernelClient)
    running: set[int] = set()

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        sockets = f"{os.environ.get('JUPYTER_RUNTIME_DIR', '')}/{os.getpid()}-{next(_NUMBERS)}"
        if sockets.startswith("/") and len(sockets) <= _SOCKET_PATH:
            # Files that only the user can open, and no ports that two kernels could both take.
            self.transport, self.ip = "ipc", sockets
        self._kernel_spec = KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            + _ARGUMENTS,
            display_name="Python 3",
            language="python",
            metadata=dict(_METADATA),
        )

    async def _async_launch_kernel(self, kernel_cmd: list[str], **options: Any) -> None:
        # What a kernel prints outside its cells is of no use to a reader of the run.
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        lock = os.environ.get(LOCK)
        held = {"pass_fds": (int(lock),)} if lock else {}
        await super()._async_launch_kernel(kernel_cmd, **{**options, **silent, **held})

    async def _async_post_start_kernel(self, **options: Any) -> None:
        await super()._async_post_start_kernel(**options)
        pid = getattr(self.provisioner, "pgid", None)  # a warm kernel's group is the template's
        if pid:
            self.running.add(pid)

    async def _async_wait(self, pollinterval: float = 0.1) -> None:
        while await self._async_is_alive():
            await asyncio.sleep(min(_LOOK, pollinterval))
