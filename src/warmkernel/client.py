"""The owner's side of a template: start it, have it fork, signal and wait for what it forked."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from warmkernel import wire

LOADING = 180.0  # seconds in which a template must have loaded its packages
ANSWERING = 30.0  # seconds in which it must answer afterwards
_LOOK = 0.01  # seconds between two looks at a child that is waited for

# One thread at the fork: libraries that would start a pool when they are loaded do not.
SINGLE = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}


class WarmUnavailable(Exception):
    """There is no warm start here; the text says why. An ordinary start is the way out."""


class Template:
    """A template process, started at once; its packages load while the caller goes on.

    Parameters
    ----------
    preload : modules to import, third-party packages only.
    python : the interpreter and its options.
    environment : variables the template starts with (default: this process's). Children get the
        environment of their own request, but what Python and the libraries read when they start
        or are imported (hash seed, locale, number of threads) they have from the template.

    without : modules that count as not installed, in the template and its children: what takes
        long to import and nobody needs.
    held : descriptors that the template and its children keep open under the same numbers: a
        file lock, say, that is to be free only when the last of them has ended.

    Attributes
    ----------
    pid : its process.

    Raises
    ------
    WarmUnavailable : this system has no safe fork, or the interpreter cannot be started.
    """

    def __init__(
        self,
        preload: Sequence[str] = (),
        python: Sequence[str] = (sys.executable,),
        environment: Mapping[str, str] | None = None,
        without: Sequence[str] = (),
        held: Sequence[int] = (),
    ) -> None:
        if sys.platform != "linux":
            raise WarmUnavailable("warm starts need Linux: elsewhere a fork is absent or unsafe")
        ours, theirs = socket.socketpair()
        env = {**(os.environ if environment is None else environment), **SINGLE}
        env.pop("JPY_PARENT_PID", None)
        command = [*python, "-m", "warmkernel.template", str(theirs.fileno()), str(os.getpid())]
        try:
            self._process: Any = subprocess.Popen(
                command,
                env=env,
                pass_fds=[theirs.fileno(), *held],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in a terminal is for the owner
            )
        except OSError as error:
            ours.close()
            raise WarmUnavailable(f"{python[0]} cannot be started: {error.strerror}") from error
        finally:
            theirs.close()
        self.pid = self._process.pid
        self._set_up(ours, ready=False)
        wire.send(ours, {"preload": list(preload), "without": list(without)})
        atexit.register(self.close)

    @classmethod
    def adopt(cls, number: int) -> Template:
        """The template behind a channel (see `channel`) that was opened for this process."""
        made = cls.__new__(cls)
        made._process = None
        made._set_up(socket.socket(fileno=number), ready=True)
        made.pid = int(made._ask({"do": "hello"})[0]["pid"])
        return made

    def _set_up(self, channel: socket.socket, ready: bool) -> None:
        self._channel: socket.socket | None = channel
        self._ready = ready
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._reason = ""

    @property
    def usable(self) -> bool:
        """False once it has failed, ended or been closed."""
        ended = self._process is not None and self._process.poll() is not None
        return self._channel is not None and self._owner == os.getpid() and not ended

    def start(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: str | os.PathLike[str],
        files: Sequence[int],
    ) -> Child:
        """Fork a process that runs ``python -m`` with the arguments `argv`.

        Parameters
        ----------
        argv : the module's name and its arguments.
        env, cwd : its whole environment, and the folder it works in.
        files : descriptors of its standard input, output and error.

        Raises
        ------
        WarmUnavailable : the template could not load its packages, cannot fork, or has ended.
        """
        message = {"do": "start", "argv": list(argv), "env": dict(env), "cwd": os.fspath(cwd)}
        return Child(self, self._ask(message, files)[0]["pid"])

    def channel(self) -> int:
        """A descriptor through which another process may `adopt` this template.

        What that process starts dies when the channel is closed, so also with the process.
        """
        return self._ask({"do": "channel"})[1][0]

    def retire(self) -> None:
        """Take no more: it ends when its last child has ended."""
        self._ask({"do": "retire"})

    def wait_ready(self) -> None:
        """Wait until the packages are loaded; raises as `start` does."""
        with self._lock:
            self._wait_ready()

    def close(self) -> None:
        """End the template and everything it has forked for this process."""
        if self._owner != os.getpid():
            return
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._process is not None:
            if not self._ready:
                self._process.kill()  # it is loading, has no children, and does not listen yet
            self._process.wait()
            atexit.unregister(self.close)

    def _ask(
        self, message: dict[str, Any], files: Sequence[int] = ()
    ) -> tuple[dict[str, Any], list[int]]:
        with self._lock:
            self._wait_ready()
            reply, received = self._exchange(message, files)
        if "error" in reply:
            raise WarmUnavailable(reply["error"])
        return reply, received

    def _wait_ready(self) -> None:
        if not self.usable or self._channel is None:
            raise WarmUnavailable(self._reason or "the template has ended")
        if self._ready:
            return
        self._channel.settimeout(LOADING)
        reply, _ = self._exchange(None)
        if "error" in reply:
            self._give_up(reply["error"])
        self._channel.settimeout(ANSWERING)
        self._ready = True

    def _exchange(
        self, message: dict[str, Any] | None, files: Sequence[int] = ()
    ) -> tuple[dict[str, Any], list[int]]:
        if self._channel is None:
            raise WarmUnavailable(self._reason)
        try:
            if message is not None:
                wire.send(self._channel, message, files)
            return wire.receive(self._channel)
        except TimeoutError:
            self._give_up("the template does not answer")
        except (EOFError, OSError, ValueError):
            self._give_up("the template has ended unexpectedly")
        except BaseException:  # its answer would be taken for that of the next request
            self._abandon("a request was interrupted")
            raise

    def _give_up(self, reason: str) -> NoReturn:
        self._abandon(reason)
        raise WarmUnavailable(reason)

    def _abandon(self, reason: str) -> None:
        self._reason = reason
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        self.close()


class Child:
    """A forked process, with the methods of `subprocess.Popen` that need no pipe.

    It is the template's child: the template signals and reaps it, so that its pid is never taken
    for that of a later process.
    """

    stdin = stdout = stderr = None

    def __init__(self, template: Template, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._template = template

    def poll(self) -> int | None:
        """Exit code (negative: the signal that ended it); None while it runs."""
        return self._about({"do": "poll", "pid": self.pid})

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; `subprocess.TimeoutExpired` as `Popen.wait` raises it."""
        end = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if end is not None and time.monotonic() >= end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(_LOOK)
        return self.returncode or 0

    def send_signal(self, number: int) -> None:
        """Signal the process and those of its group."""
        self._about({"do": "signal", "pid": self.pid, "signal": int(number)})

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _about(self, message: dict[str, Any]) -> int | None:
        if self.returncode is None:
            try:
                self.returncode = self._template._ask(message)[0]["code"]
            except WarmUnavailable:
                self.returncode = -signal.SIGKILL  # children die with their template
        return self.returncode
