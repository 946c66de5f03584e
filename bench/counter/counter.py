"""Answers with the call's number, the process it ran in, and how many calls that has run.

Examples have the number -1 and are not counted: nobody receives their answers.
"""

from os import urandom

from hotswap_plugin import Plugin, TenantContext


class Counter(Plugin):
    def startup(self) -> None:
        self.process, self.calls = urandom(8).hex(), 0

    def count(self, ctx: TenantContext, call: int) -> dict[str, object]:
        self.calls += call >= 0
        return {"call": call, "process": self.process, "calls": self.calls}
