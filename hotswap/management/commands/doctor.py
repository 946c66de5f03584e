from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hotswap.diagnosis import examine


class Command(BaseCommand):
    help = (
        "Checks every dependency, the disk, the jail, keys and stuck rows; prints the fix for each."
    )
    requires_system_checks: list[str] = []

    def handle(self, *_: Any, **__: Any) -> None:
        wrong = 0
        for finding in examine():
            wrong += not finding.ok
            mark = self.style.SUCCESS("ok   ") if finding.ok else self.style.ERROR("WRONG")
            self.stdout.write(f"{mark} {finding.about}: {finding.detail}")
            if not finding.ok:
                self.stdout.write(f"      fix: {finding.fix}")
        if wrong:
            raise CommandError(f"{wrong} to mend")
        self.stdout.write("all is well")
