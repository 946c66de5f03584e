"""Why a resolution failed: a value for its row, raised only between the steps of one attempt."""

from hotswap.lib.errors import HotSwapError


class ResolutionError(HotSwapError):
    """The attempt ends with this; ``code`` and message are what the author sees."""

    code = "resolution_failed"


class SupersededError(HotSwapError):
    """Another worker has taken the attempt over; this one stops without a trace."""

    code = "resolution_superseded"
