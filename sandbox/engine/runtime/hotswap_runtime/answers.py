"""What goes back to the host. A good answer's shape is fixed to the byte: the host slices it."""

from __future__ import annotations

import sys
from types import CoroutineType

from hotswap_plugin.errors import EgressDeniedError, PluginError

from .wire import encode_json

MAX_MESSAGE = 1000


def describe(error: BaseException) -> str:
    """A bounded text for any exception, also one whose own text raises."""
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001 - the author's __str__ may do anything
        text = "(its text cannot be shown)"
    if type(error) is not PluginError:
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return text if len(text) <= MAX_MESSAGE else text[:MAX_MESSAGE] + "…"


def code_of(error: BaseException) -> str:
    """Which outcome an exception means."""
    if isinstance(error, MemoryError):
        return "memory_limit"
    if isinstance(error, EgressDeniedError):
        return "egress_denied"
    return "plugin_error"


def failure(nonce: str, code: str, message: str) -> bytes:
    """The frame that ends an exchange badly."""
    text = encode_json({"nonce": nonce, "code": code, "message": message})
    return text.encode("utf-8", "replace")


def failure_of(nonce: str, error: BaseException) -> bytes:
    """The frame for an exception; the traceback goes to the log."""
    if not isinstance(error, PluginError | MemoryError | EgressDeniedError):
        show_traceback(error)
    return failure(nonce, code_of(error), describe(error))


def show_traceback(error: BaseException) -> None:
    """Through the interpreter's own printer: importing ``traceback`` costs more than a call.

    The first frame is the runtime's and tells an author nothing.
    """
    trace = error.__traceback__.tb_next if error.__traceback__ else None
    try:
        sys.__excepthook__(type(error), error.with_traceback(trace), trace)
    except BaseException:  # noqa: BLE001 - a hostile exception must not end the loop
        return


def success(nonce: str, value: object, output_bytes: int) -> bytes:
    """The frame with a result, or the one that says why it cannot be sent."""
    if type(value) is CoroutineType:
        value.close()
        return failure(nonce, "plugin_error", "the method is async; a method is a plain function")
    try:
        body = encode_json(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        return failure(nonce, "plugin_error", f"the result is not JSON: {describe(error)}")
    if len(body) > output_bytes:
        message = f"the result has {len(body)} bytes, the limit is {output_bytes}"
        return failure(nonce, "output_limit", message)
    return b'{"nonce":"%b","result":%b}' % (nonce.encode(), body)
