"""What goes back to the host. The shape of a good answer is fixed to the byte: the host slices it."""

import sys
from types import CoroutineType

from hotswap_plugin.errors import EgressDeniedError, PluginError
from hotswap_runtime.wire import encode_json

MAX_MESSAGE = 1000


def describe(error):
    """A bounded text for any exception, also one whose own text raises."""
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001 - the author's __str__ may do anything
        text = "(its text cannot be shown)"
    if type(error) is not PluginError:
        text = "%s: %s" % (type(error).__name__, text) if text else type(error).__name__
    return text if len(text) <= MAX_MESSAGE else text[:MAX_MESSAGE] + "…"


def code_of(error):
    """Which outcome an exception means."""
    if isinstance(error, MemoryError):
        return "memory_limit"
    if isinstance(error, EgressDeniedError):
        return "egress_denied"
    return "plugin_error"


def failure(nonce, code, message):
    """The frame that ends an exchange badly."""
    text = encode_json({"nonce": nonce, "code": code, "message": message})
    return text.encode("utf-8", "backslashreplace")


def failure_of(nonce, error):
    """The frame for an exception; its traceback goes to the log."""
    if not isinstance(error, (PluginError, MemoryError, EgressDeniedError)):
        show_traceback(error)
    return failure(nonce, code_of(error), describe(error))


def show_traceback(error):
    """Through the interpreter's own printer: importing ``traceback`` costs more than a call."""
    try:
        sys.__excepthook__(type(error), error, error.__traceback__)
    except BaseException:  # noqa: BLE001 - a hostile exception must not end the loop
        return


def success(nonce, value, output_bytes):
    """The frame with a result, or the one that says why it cannot be sent."""
    if type(value) is CoroutineType:
        value.close()
        return failure(
            nonce, "plugin_error", "the method is async; plugin methods are plain functions"
        )
    try:
        body = encode_json(value).encode()
    except MemoryError:
        raise
    except (TypeError, ValueError, RecursionError) as error:
        return failure(nonce, "plugin_error", "the result is not JSON: %s" % describe(error))
    if len(body) > output_bytes:
        message = "the result has %d bytes, the limit is %d" % (len(body), output_bytes)
        return failure(nonce, "output_limit", message)
    return b'{"nonce":"%b","result":%b}' % (nonce.encode(), body)
