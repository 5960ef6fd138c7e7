"""No network beyond loopback: in the kernel of a notebook, in a step, and in a whole run."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import PROJECT
from pipeline.test_notebook import job, private
from povmon.errors import PovmonError
from povmon.pipeline import cli, sandbox
from povmon.pipeline.notebook import NotebookFailed, run_notebook

__all__ = ["private"]  # the environment of a worker, for every test here

REFUSED = "may not use the network, and this one tried to reach"
TRIES = """import socket

from povmon.errors import PovmonError

tries = {
    "connect": lambda: socket.create_connection(("192.0.2.1", 80), timeout=5),
    "six": lambda: socket.socket(socket.AF_INET6).connect(("2001:db8::1", 80)),
    "mapped": lambda: socket.socket(socket.AF_INET6).connect(("::ffff:192.0.2.1", 80)),
    "datagram": lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 9)),
    "name": lambda: socket.getaddrinfo("example.org", 80),
    "old name": lambda: socket.gethostbyname("example.org"),
    "address": lambda: socket.gethostbyaddr("192.0.2.1"),
    "listen": lambda: socket.create_server(("", 0)),
}
for name, attempt in tries.items():
    try:
        attempt()
    except PovmonError as error:
        assert "may not use the network" in str(error)
    else:
        raise AssertionError(name)"""
LOCAL = """import socket, tempfile

server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
socket.create_connection(("localhost", server.getsockname()[1])).close()
with tempfile.TemporaryDirectory() as folder:
    here = socket.socket(socket.AF_UNIX)
    here.bind(folder + "/s")
    here.listen()
    socket.socket(socket.AF_UNIX).connect(folder + "/s")"""


def test_a_cell_that_uses_the_network_fails_and_says_why(root: Path) -> None:
    source = 'import urllib.request\nurllib.request.urlopen("http://192.0.2.1/data.csv")'
    with pytest.raises(NotebookFailed) as caught:
        run_notebook(job(root, source), lambda _: None)
    text = str(caught.value)
    assert f"{REFUSED} 192.0.2.1" in text and "small.ipynb, In [3]" in text
    assert "Traceback" not in text and "put what it needs into data/raw" in text


def test_every_way_out_is_refused_and_loopback_works(root: Path) -> None:
    one = job(root, TRIES, LOCAL)
    assert run_notebook(one, lambda _: None) == [one.page]


def alone(code: str) -> str:
    """What a process of its own prints: hooks and networks stay for good."""
    done = subprocess.run(
        [sys.executable, "-c", f"import os, socket\nfrom povmon.pipeline import sandbox\n{code}"],
        cwd=PROJECT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_step_is_guarded_too() -> None:
    code = """
from povmon.pipeline.worker import work
from povmon.pipeline.workers import FunctionJob
print(work(FunctionJob("one", "pool", {"survey": "nowhere"}), None).kind)
try:
    socket.create_connection(("192.0.2.1", 80), timeout=5)
except Exception as error:
    print(error)"""
    printed = alone(code)
    assert printed.startswith("failed") and f"{REFUSED} 192.0.2.1" in printed


def test_the_named_scheduler_may_be_reached_and_nothing_else() -> None:
    code = """
os.environ[sandbox.ADDRESS] = "tcp://192.0.2.7:8786"
sandbox.guard()
os.environ[sandbox.ADDRESS] = "tcp://192.0.2.1:80"  # too late
sock = socket.socket()
sock.setblocking(False)
for address in ("192.0.2.7", 8786), ("192.0.2.7", 22), ("192.0.2.1", 80):
    try:
        print(sock.connect_ex(address) != 0, end=" ")
    except Exception as error:
        print("refused", end=" ")"""
    assert alone(code) == "True refused refused"


ISOLATED = """
import subprocess, sys
if not sandbox.isolate():
    print("unable")
    sys.exit()
other = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)"
done = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True)
print("unreachable" if "Network is unreachable" in done.stderr else done.stderr)
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname())
here = socket.socket(socket.AF_UNIX)
here.connect(PATH)
here.sendall(b"through the file system")
print(os.getuid(), os.getgid())"""


def test_a_network_of_its_own(tmp_path: Path) -> None:
    """Also other programs find no network; loopback and sockets in the file system work."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "s"))
    server.listen()
    server.settimeout(60)
    printed = alone(ISOLATED.replace("PATH", repr(str(tmp_path / "s"))))
    if printed == "unable":
        pytest.skip("this system allows no network of its own")
    assert printed.splitlines() == ["unreachable", f"{os.getuid()} {os.getgid()}"]
    assert server.accept()[0].recv(100) == b"through the file system"


@pytest.mark.parametrize(
    ("options", "address", "isolated"),
    [([], "", 1), (["--scheduler", "tcp://127.0.0.1:1"], "", 0), ([], "tcp://127.0.0.1:1", 0)],
)
def test_a_run_leaves_the_network_unless_a_scheduler_is_named(
    root: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], address: str, isolated: int
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(sandbox, "isolate", lambda: calls.append(1))
    monkeypatch.setenv(sandbox.ADDRESS, address)
    assert cli.main(["run", "--survey", "nowhere", *options]) == 1
    assert len(calls) == isolated


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "localhost"])
def test_loopback(host: str) -> None:
    assert sandbox._loopback(host)
    sandbox._check_host(host, frozenset())


@pytest.mark.parametrize("host", ["192.0.2.1", "0.0.0.0", "::", "fe80::1%1", "localhost.example"])
def test_not_loopback(host: str) -> None:
    with pytest.raises(PovmonError, match=REFUSED):
        sandbox._check_host(host, frozenset())
