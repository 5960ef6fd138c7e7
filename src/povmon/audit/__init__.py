"""Audit: rules, corrections, accounting and weights; from submissions to accepted records."""

from povmon.audit.households import audited_households
from povmon.audit.run import Audit, audit_area, audit_intake, load_audit

__all__ = ["Audit", "audit_area", "audit_intake", "audited_households", "load_audit"]
