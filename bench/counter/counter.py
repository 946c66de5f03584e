"""Answers with the call's number, the process it ran in, and how many calls that has run."""

from os import urandom

from hotswap_plugin import Plugin, TenantContext


class Counter(Plugin):
    def startup(self) -> None:
        self.process, self.calls = urandom(8).hex(), 0

    def count(self, ctx: TenantContext, call: int) -> dict[str, object]:
        self.calls += 1
        return {"call": call, "process": self.process, "calls": self.calls}
