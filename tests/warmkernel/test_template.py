"""The template process and what it forks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from warmkernel import Child, Template, WarmUnavailable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="warm starts need Linux")
OWNER = """
import os, sys, time
from warmkernel import Template
template = Template(["json"])
child = template.start(["asleep"], env=dict(os.environ), cwd=sys.argv[1], files=[0, 1, 2])
print(template.pid, child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    made = Template(["numpy.random"])
    yield made
    made.close()


@pytest.fixture
def run(template: Template, tmp_path: Path) -> Callable[..., Child]:
    """Forks a process that runs a source, with files for its output and error."""

    def start(source: str, *arguments: str, env: dict[str, str] | None = None) -> Child:
        (tmp_path / "job.py").write_text(source, encoding="utf-8")
        with (tmp_path / "out").open("w") as out, (tmp_path / "err").open("w") as err:
            files = [0, out.fileno(), err.fileno()]
            return template.start(
                ["job", *arguments], env=dict(env or os.environ), cwd=tmp_path, files=files
            )

    return start


def alive(pid: int) -> bool:
    """True for a process that runs: a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def gone(*pids: int) -> bool:
    """Wait until none of some processes runs."""
    end = time.monotonic() + 20
    while any(map(alive, pids)) and time.monotonic() < end:
        time.sleep(0.02)
    return not any(map(alive, pids))


def until(path: Path) -> str:
    """The text of a file, once there is some."""
    end = time.monotonic() + 60
    while not path.exists() or not path.read_text():
        assert time.monotonic() < end, f"{path.name} stays empty"
        time.sleep(0.02)
    return path.read_text()


def test_a_child_has_the_request_and_not_the_template(
    run: Callable[..., Child], template: Template, tmp_path: Path
) -> None:
    source = (
        "import os, sys\n"
        "print(sys.argv[1:], os.getcwd(), os.environ['COLOUR'], 'HOME' in os.environ,\n"
        "      os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid(), os.getppid(), __name__)\n"
        "print('trouble', file=sys.stderr)\n"
        "print(sorted(os.listdir('/proc/self/fd'))[:-1], 'warmkernel.template' in sys.modules)\n"
        "sys.exit(3)"
    )
    child = run(source, "a", "b", env={"COLOUR": "green"})
    assert child.wait(60) == 3
    out = (tmp_path / "out").read_text().splitlines()
    expected = f"['a', 'b'] {tmp_path} green False True True {template.pid} __main__"
    assert out == [expected, "['0', '1', '2'] False"]
    assert (tmp_path / "err").read_text() == "trouble\n"


def test_children_draw_different_random_numbers(run: Callable[..., Child], tmp_path: Path) -> None:
    source = "import random, numpy\nprint(random.random(), numpy.random.random())"
    drawn = []
    for _ in range(2):
        assert run(source).wait(60) == 0
        drawn += (tmp_path / "out").read_text().split()
    assert len(set(drawn)) == 4


def test_children_share_no_state_and_see_edited_code(
    run: Callable[..., Child], tmp_path: Path
) -> None:
    for value in ("1", "2"):
        (tmp_path / "edited.py").write_text(f"value = {value}\n# {value * int(value)}")
        source = "import edited, json\nprint(edited.value, hasattr(json, 'x'))\njson.x = 1"
        assert run(source).wait(60) == 0
        assert (tmp_path / "out").read_text() == f"{value} False\n"


def test_a_child_is_signalled_and_reaped(run: Callable[..., Child], tmp_path: Path) -> None:
    source = (
        "import time\nprint('here', flush=True)\n"
        "try:\n    time.sleep(600)\nexcept KeyboardInterrupt:\n    print('interrupted')"
    )
    child = run(source)
    until(tmp_path / "out")
    assert child.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.05)
    child.send_signal(signal.SIGINT)
    assert child.wait(60) == 0
    assert (tmp_path / "out").read_text() == "here\ninterrupted\n"
    other = run(source)
    until(tmp_path / "out")
    other.kill()
    assert other.wait(60) == -signal.SIGKILL
    assert not Path(f"/proc/{other.pid}").exists(), "it was not reaped"
    other.kill()  # an ended child is not signalled: its pid may be another's by now
    assert other.returncode == -signal.SIGKILL


def test_what_a_child_has_started_is_signalled_with_it(
    run: Callable[..., Child], tmp_path: Path
) -> None:
    source = (
        "import subprocess, time\np = subprocess.Popen(['sleep', '600'])\n"
        "print(p.pid, flush=True)\ntime.sleep(600)"
    )
    child = run(source)
    grandchild = int(until(tmp_path / "out"))
    child.kill()
    assert gone(child.pid, grandchild)


def test_a_channel_takes_its_children_along(template: Template, tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text("import time\ntime.sleep(600)")
    adopted = Template.adopt(template.channel())
    child = adopted.start(["job"], env=dict(os.environ), cwd=tmp_path, files=[0, 1, 2])
    assert alive(child.pid)
    with pytest.raises(WarmUnavailable, match="no child of this channel"):
        template._ask({"do": "signal", "pid": child.pid, "signal": 9})
    adopted.close()
    assert gone(child.pid)
    assert template.usable


@pytest.mark.parametrize("victim", ["owner", "template"])
def test_nothing_survives_a_killed_owner_or_template(tmp_path: Path, victim: str) -> None:
    (tmp_path / "asleep.py").write_text("import time\ntime.sleep(600)")
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout
    template, child = map(int, owner.stdout.readline().split())
    assert alive(template) and alive(child)
    os.kill(owner.pid if victim == "owner" else template, signal.SIGKILL)
    assert gone(template, child)
    owner.kill()
    owner.wait()


def test_a_killed_template_is_told(tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text("import time\ntime.sleep(600)")
    made = Template()
    child = made.start(["job"], env=dict(os.environ), cwd=tmp_path, files=[0, 1, 2])
    os.kill(made.pid, signal.SIGKILL)
    assert child.wait(60) == -signal.SIGKILL
    assert not made.usable
    with pytest.raises(WarmUnavailable, match="ended"):
        made.start(["job"], env={}, cwd=tmp_path, files=[0, 1, 2])


def test_a_template_that_still_loads_is_closed_at_once(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(600)")
    made = Template(["slow"], environment={**os.environ, "PYTHONPATH": str(tmp_path)})
    made.close()
    assert gone(made.pid)


def test_after_an_interrupted_request_no_answer_is_mistaken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = Template()
    made.wait_ready()
    with monkeypatch.context() as patch:
        patch.setattr("warmkernel.wire.receive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            made.channel()
    assert not made.usable
    with pytest.raises(WarmUnavailable, match="interrupted"):
        made.channel()
    assert gone(made.pid)


def interrupted(_: object) -> None:
    raise KeyboardInterrupt


def test_a_retired_template_ends_with_its_last_child(tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text("import time\ntime.sleep(600)")
    made = Template()
    child = made.start(["job"], env=dict(os.environ), cwd=tmp_path, files=[0, 1, 2])
    made.retire()
    time.sleep(0.1)
    assert child.poll() is None
    child.kill()
    assert gone(made.pid)
    made.close()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "import threading\n"
            "threading.Thread(target=threading.Event().wait, daemon=True).start()",
            "starts a thread",
        ),
        ("1 / 0", "cannot be preloaded: ZeroDivisionError"),
        ("value = 1", "no installed package"),
    ],
)
def test_what_must_not_be_preloaded_is_refused(tmp_path: Path, source: str, reason: str) -> None:
    (tmp_path / "odd.py").write_text(source)
    made = Template(["odd"], environment={**os.environ, "PYTHONPATH": str(tmp_path)})
    with pytest.raises(WarmUnavailable, match=reason):
        made.wait_ready()
    assert not made.usable
    with pytest.raises(WarmUnavailable, match=reason):
        made.wait_ready()


def test_a_function_is_called_beforehand(tmp_path: Path) -> None:
    made = Template(["textwrap:dedent"], environment=dict(os.environ))
    with pytest.raises(WarmUnavailable, match="textwrap:dedent cannot be preloaded: TypeError"):
        made.wait_ready()
    other = Template(["ensurepip:version"])
    other.wait_ready()
    assert other.usable
    other.close()


def test_a_module_can_count_as_not_installed(tmp_path: Path) -> None:
    made = Template(without=["csv"])
    (tmp_path / "job.py").write_text(
        "try:\n    import csv\nexcept ImportError:\n    raise SystemExit(7)"
    )
    child = made.start(["job"], env=dict(os.environ), cwd=tmp_path, files=[0, 1, 2])
    assert child.wait(60) == 7
    made.close()


def test_no_template_without_an_interpreter_or_a_folder(template: Template) -> None:
    with pytest.raises(WarmUnavailable, match="cannot be started"):
        Template(python=["/nonexistent/python"])
    with pytest.raises(WarmUnavailable, match="does not exist"):
        template.start(["job"], env={}, cwd="/nonexistent", files=[0, 1, 2])


def test_another_system_has_no_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(WarmUnavailable, match="need Linux"):
        Template()


def test_a_forked_owner_cannot_use_the_template(template: Template) -> None:
    pid = os.fork()
    if not pid:
        os._exit(0 if not template.usable else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert template.usable


def test_interrupts_at_the_terminal_do_not_reach_the_template(template: Template) -> None:
    template.wait_ready()
    assert os.getpgid(template.pid) != os.getpgrp()
    os.kill(template.pid, signal.SIGINT)
    time.sleep(0.05)
    assert alive(template.pid)
