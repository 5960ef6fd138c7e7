"""``python -m warmkernel install``: write a kernelspec whose kernels are forked from a template."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def spec(
    display_name: str, preload: Sequence[str], without: Sequence[str], lock_file: str
) -> dict[str, Any]:
    """A kernelspec for this interpreter; see `warmkernel.provisioner` for its settings."""
    config = {"preload": list(preload), "without": list(without), "lock_file": lock_file}
    return {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": display_name,
        "language": "python",
        "metadata": {
            "debugger": True,
            "kernel_provisioner": {"provisioner_name": "warm-kernel", "config": config},
        },
    }


def install(prefix: Path, name: str, content: dict[str, Any]) -> Path:
    """Write ``kernel.json`` below ``<prefix>/share/jupyter/kernels/<name>``; returns its path."""
    path = prefix / "share" / "jupyter" / "kernels" / name / "kernel.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m warmkernel", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    command = commands.add_parser("install", help="write a kernelspec")
    command.add_argument("--prefix", type=Path, default=Path(sys.prefix), help="default: this env")
    command.add_argument("--name", default="warm", help="name of the kernelspec")
    command.add_argument("--display-name", default="Python 3 (warm)")
    command.add_argument("--lock-file", default="requirements.lock")
    command.add_argument("--preload", nargs="*", default=[], help="third-party modules")
    command.add_argument("--without", nargs="*", default=[], help="count as not installed")
    options = parser.parse_args(arguments)
    content = spec(options.display_name, options.preload, options.without, options.lock_file)
    print(f"Wrote {install(options.prefix, options.name, content)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
