"""A run on a real disk that is full, or that nothing can be written to: a file system of its own.

``python disk.py ROOT MADE COMMAND...`` works in a mount namespace (``unshare``): ROOT becomes a
small file system, MADE is copied there, and the command runs with each of some amounts of free
space, and with none allowed. Prints a JSON line for each: what, exit code, output.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

FREE = (0, 8, 16, 32, 48, 64)  # KiB; a run of the mini survey needs some 100


def mounted(root: Path, options: str) -> None:
    """Mount, or mount again with other options."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(root)], check=True)


def run(what: str, command: list[str]) -> None:
    """Run the command and tell."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    print(json.dumps({"what": what, "code": done.returncode, "output": done.stdout}), flush=True)


def main(root: Path, made: Path, command: list[str]) -> None:
    """Each disk in turn: the disturbed run, then one with room enough."""
    for free in (*FREE, None):
        mounted(root, "size=64m")
        shutil.copytree(made, root, dirs_exist_ok=True)
        if free is None:
            mounted(root, "remount,ro")
        else:
            used = shutil.disk_usage(root).used
            mounted(root, f"remount,size={used // 1024 + free}k")
        run("nothing may be written" if free is None else f"{free} KiB free", command)
        mounted(root, "remount,rw,size=64m")
        run("again", command)
        shutil.copytree(root, made.with_name(f"after-{free}"))
        subprocess.run(["umount", str(root)], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
