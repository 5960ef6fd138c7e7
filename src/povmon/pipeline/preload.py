"""Third-party modules that the templates load once (see `warmkernel`); never povmon's own.

A test checks that nothing a page needs is missing here: it would be imported once per notebook.
"""

# Kernels, and workers that run plain steps.
KERNEL = (
    "numpy",
    "numba",
    # What a compiled function needs before its first call, half a second's work.
    "numba.core.registry:cpu_target.typing_context.refresh",
    "numba.core.registry:cpu_target.target_context.refresh",
    "pandas",
    "pyarrow.parquet",
    "pyarrow.dataset",
    "scipy.special",
    "scipy.optimize",
    "scipy.sparse.csgraph",
    "pydantic",
    "pandera.pandas",
    "pandera.backends.pandas.builtin_checks",  # comes with the first check of a table
    "yaml",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "matplotlib.patheffects",
    "shapely",
    "pyproj",
    "openpyxl",
    "rich.progress",
)

# Counts as not installed: pages are not debugged, and it takes longer than the rest of a kernel.
KERNEL_WITHOUT = ("debugpy",)

# Workers that run notebooks: papermill and the exporter.
WORKER = (
    "papermill",
    "nbconvert",
    "nbformat",
    "matplotlib.figure",
    "matplotlib.font_manager",
    "numpy",
    "pygments.lexers.python",
    "pygments.formatters.html",
    "warmkernel.provisioner",
)

# A grammar that takes a second to load; no schema of a notebook has a format that needs it.
WORKER_WITHOUT = ("rfc3987_syntax",)
