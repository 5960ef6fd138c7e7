"""povmon: from raw household-survey submissions to published poverty reports."""

__version__ = "0.1.0"
