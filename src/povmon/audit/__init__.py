"""Audit: rules, corrections, accounting and weights; from submissions to accepted records."""

from povmon.audit.acceptance import acceptance_of
from povmon.audit.households import audited_households
from povmon.audit.run import Audit, audit_area, audit_intake, load_audit

__all__ = [
    "Audit",
    "acceptance_of",
    "audit_area",
    "audit_intake",
    "audited_households",
    "load_audit",
]
