"""The kernel that runs a notebook: this very Python, whatever kernelspecs are installed."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from povmon.pipeline.environment import LOCK

# Longest path that a Unix socket may have, less what Jupyter appends to the file's name.
_SOCKET_PATH = 107 - len("-5")
_NUMBERS = itertools.count()

# Options of every kernel: no history file, so kernels do not wait for one another's database.
_ARGUMENTS = ["--HistoryManager.enabled=False", "--IPKernelApp.log_level=40"]


class ReportKernelManager(AsyncKernelManager):
    """Starts `sys.executable` whatever kernelspecs are installed, and knows what it started."""

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
            metadata={},
        )

    async def _async_launch_kernel(self, kernel_cmd: list[str], **options: Any) -> None:
        # What a kernel prints outside its cells is of no use to a reader of the run.
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        lock = os.environ.get(LOCK)
        held = {"pass_fds": (int(lock),)} if lock else {}
        await super()._async_launch_kernel(kernel_cmd, **{**options, **silent, **held})

    async def _async_post_start_kernel(self, **options: Any) -> None:
        await super()._async_post_start_kernel(**options)
        pid = getattr(self.provisioner, "pid", None)
        if pid:
            self.running.add(pid)
