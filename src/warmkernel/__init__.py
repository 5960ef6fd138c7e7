"""Warm kernels: Jupyter kernels forked from a template that has the packages loaded.

A kernel's start is mostly imports. A *template* process imports the third-party packages once and
forks a fresh process for each kernel. `WarmProvisioner` (entry point ``warm-kernel`` of
``jupyter_client.kernel_provisioners``) offers this to papermill, nbclient, nbval, nbconvert and
JupyterLab; `Template` forks any ``python -m module``. See docs/warm-kernels.md.
"""

from warmkernel.client import Child, Template, WarmUnavailable

__all__ = ["Child", "Template", "WarmUnavailable"]
