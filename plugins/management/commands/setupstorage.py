"""``manage.py setupstorage``: make the artifact storage what production needs, or say why not."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from plugins.storage import ArtifactStore
from plugins.storage.findings import Finding, State
from plugins.storage.setup import examine_storage


class Command(BaseCommand):
    help = (
        "Makes the bucket if it is missing, turns its versioning on, and checks encryption, public "
        "access, writing, reading and deleting. Exits with 1 when something is wrong."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only look: change nothing")

    def handle(self, *_: Any, check: bool, **__: Any) -> None:
        wrong = 0
        for finding in examine_storage(ArtifactStore().backend, change=not check):
            wrong += finding.state is State.WRONG
            self._show(finding)
        if wrong:
            raise CommandError(f"{wrong} to mend")
        self.stdout.write("the storage is ready")

    def _show(self, finding: Finding) -> None:
        style = self.style.ERROR if finding.state is State.WRONG else self.style.SUCCESS
        self.stdout.write(f"{style(finding.state.ljust(5))}  {finding.about}: {finding.detail}")
        if finding.fix:
            self.stdout.write(f"       fix: {finding.fix}")
