"""What a jail prints: bounded in size and in speed, made harmless, without the tenant's secrets."""

import os
from collections.abc import Iterable

KEPT_BYTES = 64 << 10
PIPE_BYTES = 64 << 10
READ_BYTES_PER_TICK = 256 << 10  # a flood makes its own plugin wait, not the host work
SHORTEST_SECRET = 4  # shorter ones would blank out ordinary words

CONTROL = {code: f"\\x{code:02x}" for code in [*range(32), *range(127, 160)] if code not in (9, 10)}
DIRECTION = {
    code: f"\\u{code:04x}"
    for code in [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029]
}
HARMLESS = CONTROL | DIRECTION


def harmless(text: str) -> str:
    """Terminal sequences, carriage returns and direction marks made visible."""
    return text.translate(HARMLESS)


def redact(text: str, secrets: Iterable[str]) -> str:
    """The text without any secret's value.

    A plugin can still disguise one: this is for mistakes.
    """
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET and secret in text:
            text = text.replace(secret, "***")
    return text


class LogTail:
    """The newest output of one process, read from its pipe."""

    __slots__ = ("_allowance", "_cut", "_data", "_fd")

    def __init__(self, descriptor: int) -> None:
        self._fd = descriptor
        self._data = bytearray()
        self._cut = False
        self._allowance = READ_BYTES_PER_TICK

    def read(self) -> bool:
        """Take what is in the pipe.

        False when the allowance of this tick is used up, or the pipe's end is reached.
        """
        while self._allowance > 0:
            try:
                part = os.read(self._fd, 65536)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not part:
                return False
            self._allowance -= len(part)
            self._data += part
            if len(self._data) > KEPT_BYTES:
                self._cut = True
                del self._data[:-KEPT_BYTES]
        return False

    def read_rest(self) -> None:
        """Take what a full pipe holds, whatever the allowance: a call is about to be answered."""
        self._allowance += PIPE_BYTES
        self.read()
        self._allowance -= PIPE_BYTES

    def refill(self) -> bool:
        """A new tick; True when the reader had been stopped by the allowance."""
        stopped = self._allowance <= 0
        self._allowance = READ_BYTES_PER_TICK
        return stopped

    def __bool__(self) -> bool:
        return bool(self._data)

    def take(self, secrets: Iterable[str] = ()) -> str:
        """The text since the last time, harmless and redacted."""
        text = self._data.decode("utf-8", "backslashreplace")
        self._data.clear()
        head = "… (cut)\n" if self._cut else ""
        self._cut = False
        return head + harmless(redact(text, secrets))
