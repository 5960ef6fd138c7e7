"""A kernel provisioner that has a template fork its kernels, or starts them the ordinary way."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner
from traitlets import List, Unicode

from warmkernel.client import Child, Template, WarmUnavailable
from warmkernel.modules import PRELOAD

KERNEL = "ipykernel_launcher"
# What Python and common libraries read once, when they start: another value, another template.
_EARLY = ("PYTHON", "LD_", "LC_", "OMP_", "OPENBLAS_", "MKL_", "NUMEXPR_", "MALLOC_", "ARROW_")
_EARLY_NAMES = ("LANG", "LANGUAGE", "MATPLOTLIBRC", "MPLCONFIGDIR")


class Templates:
    """The templates of this process, one for each interpreter, list of packages and lock file."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], tuple[str, Template]] = {}
        self._failed: dict[tuple[Any, ...], tuple[str, str]] = {}
        self._lock = threading.Lock()

    def get(
        self,
        python: Sequence[str],
        preload: Sequence[str],
        without: Sequence[str],
        lock_file: str,
        env: Mapping[str, str],
    ) -> Template:
        """The template for kernels of this kind; started where there is none.

        When the lock file has changed, a new one takes over, and the old one ends with its last
        kernel.

        Raises
        ------
        WarmUnavailable : it cannot be started, now or when it was last tried.
        """
        key, state = _key(python, preload, without, env), _digest(lock_file)
        with self._lock:
            if self._failed.get(key, ("", ""))[0] == state:
                raise WarmUnavailable(self._failed[key][1])
            before, template = self._known.get(key, ("", None))
            if template is not None and template.usable:
                if before == state:
                    return template
                template.retire()
            made = Template(preload, python, env, without)
            self._known[key] = (state, made)
        try:
            made.wait_ready()
        except WarmUnavailable as error:
            self._failed[key] = (state, str(error))
            raise
        return made

    def put(
        self,
        template: Template,
        preload: Sequence[str],
        without: Sequence[str],
        lock_file: str,
        env: Mapping[str, str],
    ) -> None:
        """Use a template that this process has adopted, for kernels of this interpreter."""
        self._known[_key([sys.executable], preload, without, env)] = (_digest(lock_file), template)


TEMPLATES = Templates()


class WarmProvisioner(LocalProvisioner):
    """Kernels forked from a template that belongs to this process.

    Settings in a kernelspec: ``"metadata": {"kernel_provisioner": {"provisioner_name":
    "warm-kernel", "config": {"preload": [...], "lock_file": "requirements.lock"}}}``.
    """

    preload = List(Unicode(), help="third-party modules that the template imports", config=True)
    without = List(Unicode(), help="modules that count as not installed", config=True)
    lock_file = Unicode(
        "requirements.lock",
        help="a new template is started when this file changes; relative to the folder of the "
        "process that starts kernels",
        config=True,
    )

    process: Any = None

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        """Fork the kernel; where that is not possible, say why and start it as usual."""
        try:
            self.process = await asyncio.to_thread(self._fork, cmd, options)
        except WarmUnavailable as error:
            self.log.warning("No warm kernel (%s): starting an ordinary one.", error)
            return await super().launch_kernel(cmd, **options)
        self.pid = self.process.pid
        self.pgid = None  # the template signals the group
        self.cwd = options.get("cwd") or Path.cwd()
        return self.connection_info

    async def wait(self) -> int | None:
        """Wait for the kernel's end."""
        while isinstance(self.process, Child) and self.process.poll() is None:
            await asyncio.sleep(0.01)
        return await super().wait()

    def _fork(self, cmd: list[str], options: Mapping[str, Any]) -> Child:
        python, arguments = _split(cmd)
        if options.get("independent"):
            raise WarmUnavailable("the kernel shall outlive the process that starts it")
        env = options.get("env")
        env = dict(os.environ if env is None else env)
        template = TEMPLATES.get(
            python, [*PRELOAD, *self.preload], self.without, self.lock_file, env
        )
        # It ends with the template (the system sees to that, too), and prints no note for users.
        arguments.append(f"--IPKernelApp.parent_handle={template.pid}")
        cwd = options.get("cwd") or os.getcwd()
        with _standard_files(options) as files:
            return template.start(arguments, env=env, cwd=cwd, files=files)


def _split(cmd: Sequence[str]) -> tuple[list[str], list[str]]:
    """The interpreter with its options, and the module with its arguments."""
    if "-m" not in cmd or cmd[cmd.index("-m") + 1 :][:1] != [KERNEL]:
        raise WarmUnavailable(f"the kernel's command is not `python -m {KERNEL}`")
    at = cmd.index("-m")
    return list(cmd[:at]), list(cmd[at + 1 :])


def _key(
    python: Sequence[str], preload: Sequence[str], without: Sequence[str], env: Mapping[str, str]
) -> tuple[Any, ...]:
    early = [(n, v) for n, v in env.items() if n.startswith(_EARLY) or n in _EARLY_NAMES]
    return tuple(python), tuple(preload), tuple(without), tuple(sorted(early))


def _digest(lock_file: str) -> str:
    """What the lock file says; empty where there is none."""
    try:
        return hashlib.sha256(Path(lock_file).read_bytes()).hexdigest()
    except OSError:
        return ""


@contextmanager
def _standard_files(options: Mapping[str, Any]) -> Iterator[list[int]]:
    """Descriptors for input (nothing), output and error, as `subprocess.Popen` takes them."""
    with ExitStack() as stack:
        null = stack.enter_context(open(os.devnull, "r+b", buffering=0)).fileno()
        files = [null]
        for number, name in ((1, "stdout"), (2, "stderr")):
            wanted = options.get(name)
            if wanted == subprocess.PIPE:
                raise WarmUnavailable(f"{name} is to be a pipe")
            if wanted == subprocess.STDOUT:
                files.append(files[1])
            elif wanted == subprocess.DEVNULL:
                files.append(null)
            elif wanted is None:
                files.append(number)
            else:
                files.append(wanted if isinstance(wanted, int) else wanted.fileno())
        yield files
