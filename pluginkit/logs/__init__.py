"""The log chain."""

from pluginkit.logs.audit import AuditLog

__all__ = ["AuditLog"]
