"""Third-party packages that the fork server loads once for all workers; never povmon's own."""

import nbconvert
import nbformat
import papermill

__all__ = ["nbconvert", "nbformat", "papermill"]
