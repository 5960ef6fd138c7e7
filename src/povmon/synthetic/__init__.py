"""Synthetic surveys: generated, calibrated to published figures, with errors planted in them."""

from povmon.synthetic.generate import GenerateSummary, generate

__all__ = ["GenerateSummary", "generate"]
