"""``manage.py verifyartifacts``: read every stored object again, and hold it against the rows."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import timedelta
from getpass import getuser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from hotswap.lib.database import scope_all
from hotswap.lib.errors import HotSwapError
from plugins.storage import ArtifactStore
from plugins.sweep import Sweep, SweepFinding
from plugins.sweep.mending import remove_orphan, restore
from plugins.sweep.reporting import report
from plugins.sweep.walk import GRACE


class Command(BaseCommand):
    help = (
        "Reads every stored artifact, wheel and staged upload again, and names what is missing, "
        "altered or orphaned. Exits with 1 when something is wrong and was not mended."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        parser.add_argument(
            "--restore",
            action="store_true",
            help="put the newest intact version of an altered or missing object back",
        )
        parser.add_argument(
            "--remove-orphans", action="store_true", help="remove what nothing refers to"
        )
        parser.add_argument(
            "--grace-hours",
            type=float,
            default=GRACE / timedelta(hours=1),
            help="how old an orphan must be to count (default: %(default)s)",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        self._options, self._looked_at, self._bytes = options, 0, 0
        findings: list[SweepFinding] = []
        failure = ""
        try:
            with scope_all():
                for finding in self._findings():
                    findings.append(finding)
        except (HotSwapError, DatabaseError) as error:
            failure = str(error).strip()
        show = self._show_json if options["json"] else self._show_table
        show(findings, is_complete=not failure)
        wrong = sum(not finding.is_mended for finding in findings)
        if failure:
            raise CommandError(f"broken off after {self._looked_at} objects: {failure}")
        if wrong:
            raise CommandError(f"{wrong} of {self._looked_at} objects are not as they should be")

    def _findings(self) -> Iterator[SweepFinding]:
        store = ArtifactStore()
        grace = timedelta(hours=self._options["grace_hours"])
        for looked in Sweep(store, grace).walk():
            self._looked_at += 1
            self._bytes += looked.size
            if looked.finding:
                yield self._mended(store, looked.finding)

    def _mended(self, store: ArtifactStore, finding: SweepFinding) -> SweepFinding:
        if self._options["restore"]:
            finding = restore(store, finding)
        if self._options["remove_orphans"]:
            finding = remove_orphan(store, finding)
        report(finding, by=f"verifyartifacts run by {getuser()}")
        return finding

    def _show_json(self, findings: list[SweepFinding], *, is_complete: bool) -> None:
        document = {
            "complete": is_complete,
            "objects": self._looked_at,
            "bytes": self._bytes,
            "findings": [finding.as_dict() for finding in findings],
        }
        self.stdout.write(json.dumps(document, indent=2))

    def _show_table(self, findings: list[SweepFinding], *, is_complete: bool) -> None:
        for finding in findings:
            self.stdout.write(
                f"{finding.problem:<9} {finding.key}  {finding.needed_by or '-'}\n"
                f"          {finding.way_out}"
            )
        wrong = f"{len(findings)} wrong" if findings else "nothing wrong"
        end = "" if is_complete else ", and the rest was not looked at"
        self.stdout.write(f"{self._looked_at} objects, {self._bytes} bytes: {wrong}{end}")
