"""The class an author subclasses. Its declared methods take the context first, then the parameters by name."""


class Plugin:
    """One object per process. Every hook is optional; raising in one means that it failed.

    ``config_changed(ctx)`` has no default on purpose: without it a process is replaced when its
    tenant's configuration changes.
    """

    def startup(self):
        """Runs once per process, before any tenant is known."""

    def liveness(self):
        """Raise when the process cannot recover and must be replaced."""

    def readiness(self):
        """Raise while calls should not be sent here."""

    def drain(self, deadline):
        """Finish what is open; ``deadline`` is on the clock of ``time.monotonic()``."""
