"""The state directory of one ``./dev up``: what lies where, who holds it, and the settings that
follow from it.
"""

import fcntl
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from hotswap.embedded.commands import REPOSITORY
from hotswap.embedded.errors import EmbeddedError
from hotswap.embedded.sockets import private_directory

# Enough for one person's scripts and the demo; production keeps the defaults.
_RAISED_LIMITS = {
    "HOTSWAP_RATE_READS": "60000",
    "HOTSWAP_RATE_WRITES": "60000",
    "HOTSWAP_RATE_UPLOADS": "6000",
    "HOTSWAP_RATE_SANDBOX": "6000",
}
# The people of the demo; `manage.py seeddemo` gives them their roles.
PEOPLE = ("ada", "bob", "carol", "alice", "mallory")


@dataclass(frozen=True)
class Home:
    """HOTSWAP_HOME. Only one ``./dev up`` holds it at a time."""

    path: Path

    @classmethod
    def from_environment(cls) -> "Home":
        """HOTSWAP_HOME, or ``.hotswap`` in the checkout."""
        return cls(Path(os.environ.get("HOTSWAP_HOME") or REPOSITORY / ".hotswap").absolute())

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def state_file(self) -> Path:
        return self.run / "up.json"

    @property
    def passwords_file(self) -> Path:
        return self.path / "passwords.json"

    def log(self, name: str) -> Path:
        return self.path / "logs" / f"{name}.log"

    def prepare(self) -> None:
        """Make the directories, for this user alone."""
        for path in (self.path, self.run, self.path / "logs", self.path / "keys"):
            private_directory(path)

    def hold(self) -> TextIO:
        """Take the home until the returned file is closed; raises EmbeddedError if it is held."""
        holder = (self.run / "up.lock").open("a+")
        try:
            fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder.close()
            raise EmbeddedError(self._who_holds_it()) from None
        holder.truncate(0)
        holder.write(str(os.getpid()))
        holder.flush()
        return holder

    def _who_holds_it(self) -> str:
        pid = (self.run / "up.lock").read_text() or "unknown"
        where = self.read_state().get("web", "still starting")
        return (
            f"HotSwap already runs from {self.path} (process {pid}, {where}). "
            "Stop it with Ctrl-C there, or choose another HOTSWAP_HOME."
        )

    def read_state(self) -> dict[str, Any]:
        """What the running ``./dev up`` wrote about itself; empty when none is ready."""
        try:
            state = dict(json.loads(self.state_file.read_text()))
        except (OSError, ValueError):
            return {}
        # After a kill -9 the file is there and its writer is not.
        return state if Path(f"/proc/{state['pid']}").exists() else {}

    def passwords(self) -> dict[str, str]:
        """Everybody's password, made at the first start."""
        known: dict[str, str] = {}
        if self.passwords_file.exists():
            known = json.loads(self.passwords_file.read_text())
        missing = {name: secrets.token_urlsafe(9) for name in PEOPLE if name not in known}
        if missing:
            write_private(self.passwords_file, json.dumps({**known, **missing}, indent=1))
        return {**known, **missing}

    def settings(self, redis_url: str) -> dict[str, str]:
        """HOTSWAP_* for every process: the caller's own, and what this home decides."""
        secret = self.path / "keys" / "django-secret"
        if not secret.exists():
            write_private(secret, secrets.token_urlsafe(50))
        own = {name: value for name, value in os.environ.items() if name.startswith("HOTSWAP_")}
        decided = {
            "HOTSWAP_HOME": str(self.path),
            "HOTSWAP_REDIS_URL": redis_url,
            "HOTSWAP_SECRET_KEY_FILE": str(secret),
        }
        return {**_RAISED_LIMITS, **own, **decided}


def write_private(path: Path, text: str) -> None:
    """Replace ``path`` by ``text``, readable by its owner only at every moment."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)
