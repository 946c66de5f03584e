"""What people may ask of a deployment, in which states, and what comes first."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from deployments.models import Status


class CommandKind(StrEnum):
    """In the order in which the executor applies them: the safer way always wins."""

    ABORT = "abort"
    SUPERSEDE = "supersede"
    ROLLBACK = "rollback"
    REJECT = "reject"
    PAUSE = "pause"
    PROMOTE = "promote"
    SKIP = "skip"
    RESUME = "resume"
    APPROVE = "approve"


PRIORITY = tuple(CommandKind)
ALLOWED_IN: Mapping[CommandKind, tuple[str, ...]] = {
    CommandKind.ABORT: (Status.PENDING, Status.AWAITING_APPROVAL, Status.IN_PROGRESS),
    CommandKind.SUPERSEDE: (Status.PENDING, Status.AWAITING_APPROVAL, Status.IN_PROGRESS),
    CommandKind.ROLLBACK: (Status.IN_PROGRESS,),
    CommandKind.REJECT: (Status.AWAITING_APPROVAL,),
    CommandKind.PAUSE: (Status.IN_PROGRESS,),
    CommandKind.PROMOTE: (Status.IN_PROGRESS,),
    CommandKind.SKIP: (Status.IN_PROGRESS,),
    CommandKind.RESUME: (Status.IN_PROGRESS,),
    CommandKind.APPROVE: (Status.AWAITING_APPROVAL,),
}
# They end the watching early or let a version through, so nobody decides them about their own work.
NOT_ABOUT_OWN_WORK = (CommandKind.APPROVE, CommandKind.PROMOTE, CommandKind.SKIP)


@dataclass(frozen=True, slots=True)
class Command:
    """An open command: the row's key, what is asked, by whom and with which words."""

    pk: int
    kind: str
    by: str
    comment: str = ""

    def __str__(self) -> str:
        said = f": {self.comment}" if self.comment else ""
        return f"{self.kind} by {self.by}{said}"


def first_of(commands: tuple[Command, ...], *kinds: CommandKind) -> Command | None:
    """The most urgent command among those kinds."""
    asked = sorted((c for c in commands if c.kind in kinds), key=lambda c: PRIORITY.index(c.kind))
    return asked[0] if asked else None
