"""Measurements of the project that take minutes: run from the Makefile, not part of the tests."""
