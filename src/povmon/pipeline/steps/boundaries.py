"""Boundaries for the atlas, made once from the boundary package."""

from __future__ import annotations

from pathlib import Path


def run() -> list[Path]:
    """Make the boundary file where it is absent and name it."""
    from povmon.reference import boundaries

    return [boundaries.ensure()]
