"""The class an author subclasses.

A declared method takes the context, then its parameters by name.
"""


class Plugin:
    """One object per process. Every hook is optional; raising in one means that it failed.

    ``config_changed(self, ctx)`` has no default on purpose: without it a process is replaced when
    its tenant's configuration changes.
    """

    def startup(self) -> None:
        """Runs once per process, before any tenant is known."""

    def liveness(self) -> None:
        """Raise when the process cannot recover and must be replaced."""

    def readiness(self) -> None:
        """Raise while calls should not be sent here."""

    def drain(self, deadline: float) -> None:
        """Finish what is open; ``deadline`` is on the clock of ``time.monotonic()``."""
