"""The environment of workers and kernels: the same everywhere, so that pages are the same.

The user's own IPython profile and plotting settings cannot change a report.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from povmon.pipeline.sandbox import write_startup

LOCK = "POVMON_LOCK"  # names the descriptor of the run's lock, which kernels hold too


def fixed_environment(private: Path) -> dict[str, str]:
    """Environment variables under which a notebook gives the same bytes everywhere.

    Parameters
    ----------
    private : folder of this run, for sockets and for an IPython profile that is empty but for the
        guard against the network.
    """
    write_startup(private / "ipython")
    threads = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")
    return {
        **{f"{name}_NUM_THREADS": "1" for name in threads},
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "SOURCE_DATE_EPOCH": "315532800",  # 1980-01-01, the first date that a zip file can hold
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "LANGUAGE": "",
        "MPLBACKEND": "agg",
        "MATPLOTLIBRC": _matplotlibrc(),
        "IPYTHONDIR": str(private / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(private / "runtime"),
    }


def _matplotlibrc() -> str:
    """Matplotlib's own settings file, in place of a user's."""
    found = find_spec("matplotlib")
    folder = Path(found.origin).parent if found and found.origin else Path()
    return str(folder / "mpl-data" / "matplotlibrc")
