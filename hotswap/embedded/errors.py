"""What the launcher says when a server cannot be had."""

from hotswap.lib.errors import HotSwapError


class EmbeddedError(HotSwapError):
    """A server or process of this machine could not be started; the message says what to do."""

    code = "embedded"
