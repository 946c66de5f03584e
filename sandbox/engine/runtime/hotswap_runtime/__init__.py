"""The loop that runs a plugin inside its jail. Synchronous and small: each process pays for it.

Annotations are never evaluated and ``typing`` is never imported, for the same reason.
"""
