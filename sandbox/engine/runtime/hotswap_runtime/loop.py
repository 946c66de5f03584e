"""Read a message, do it, answer. One at a time, unless the manifest asked for threads."""

from __future__ import annotations

import os
import sys

from hotswap_plugin.context import Tenant, TenantContext

from . import loading
from .answers import failure_of, success
from .confinement import confine
from .streams import Sink, flush_streams, replace_streams
from .wire import Wire, encode_json, take_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Message = dict[str, Any]


class Loop:
    """The state of one process: what is loaded and, once attached, for which tenant."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.send: Callable[..., None] = wire.send
        self.loaded = loading.Loaded({}, None)
        self.tenant = Tenant("", "", "", {}, {}, -1)  # a spare's; attaching comes before any call
        self.version = ""
        self.output_bytes = 0
        self.dispatch: Callable[[Message], None] = self.call

    def run(self) -> None:
        """Until the host hangs up (EOFError)."""
        receive = self.wire.receive
        while True:
            message = receive()
            if "call" in message:
                self.dispatch(message)
            else:
                self.control(message)

    def call(self, message: Message) -> None:
        """Run one method. Nothing that it raises leaves this function."""
        nonce = message["nonce"]
        method, call_id, deadline, traceparent = message["call"]
        sink = Sink()
        context = TenantContext(self.tenant, method, call_id, deadline, traceparent, sink)
        try:
            value = self.loaded.methods[method](context, **message["parameters"])
            answer = success(nonce, value, self.output_bytes)
        except BaseException as error:  # noqa: BLE001 - SystemExit is the plugin's failure too
            answer = failure_of(nonce, error)
        printed = flush_streams()
        if printed or sink.metrics:
            note = {"nonce": nonce, "printed": printed, "metrics": sink.metrics or []}
            self.send(encode_json(note).encode("utf-8", "replace"), answer)
        else:
            self.send(answer)

    def control(self, message: Message) -> None:
        """Everything that is not a call: load, attach, config, probe, drain."""
        nonce = message["nonce"]
        try:
            answer = getattr(self, "do_" + message["do"])(message)
            frame = encode_json({"nonce": nonce, "done": answer}).encode()
        except BaseException as error:  # noqa: BLE001 - a hook may raise anything
            frame = failure_of(nonce, error)
        flush_streams()
        self.send(frame)

    def do_load(self, message: Message) -> Message:
        """Import and start the plugin; which hooks it has."""
        self.version = message["version"]
        self.output_bytes = message["output_bytes"]
        self.loaded = loading.load(message["layers"], message["entry_point"], message["methods"])
        if message["threads"] > 1:
            # Few plugins ask for threads; the others start without that module.
            from .threads import dispatch_to_threads

            self.dispatch, self.send = dispatch_to_threads(self, message["threads"])
        return {"hooks": [name for name in loading.HOOKS if self.loaded.hook(name)]}

    def do_attach(self, message: Message) -> None:
        """From here on this process belongs to one tenant."""
        self.tenant = self.tenant_of(message)

    def do_config(self, message: Message) -> None:
        """The tenant's configuration changed; if the hook fails, the host replaces the process."""
        self.tenant = self.tenant_of(message)
        context = TenantContext(self.tenant, "config_changed", "", message["deadline"], "", Sink())
        self.run_hook("config_changed", context)

    def do_probe(self, message: Message) -> None:
        """Ask the plugin's own liveness or readiness."""
        self.run_hook(message["probe"])

    def do_drain(self, message: Message) -> None:
        """Let the plugin finish; the host hangs up after the answer."""
        self.run_hook("drain", message["deadline"])

    def run_hook(self, name: str, *arguments: object) -> None:
        """A plain function has no hooks, and passes."""
        hook = self.loaded.hook(name)
        if hook is not None:
            hook(*arguments)

    def tenant_of(self, message: Message) -> Tenant:
        """The tenant as the host describes it."""
        return Tenant(
            message["tenant_id"],
            message["installation_id"],
            self.version,
            message["config"],
            message["secrets"],
            message["epoch"],
        )


def main() -> None:
    """Close every door, say hello with what is in force, then serve."""
    take_wire()
    replace_streams()
    wire = Wire()
    hello = {"landlock": confine(sys.argv[1]), "python": list(sys.version_info[:3])}
    wire.send(encode_json({"hello": hello}).encode())
    try:
        Loop(wire).run()
    except (EOFError, OSError):
        os._exit(0)  # not exit(): threads and atexit functions of the plugin would keep it alive
