"""Read a message, do it, answer. One at a time, unless the manifest asked for threads."""

import os
import sys

from hotswap_plugin.context import Tenant, TenantContext
from hotswap_runtime import loading
from hotswap_runtime.answers import failure, failure_of, success
from hotswap_runtime.confinement import confine
from hotswap_runtime.streams import Sink, flush_streams, replace_streams
from hotswap_runtime.wire import Wire, encode_json, take_wire


class Loop:
    """The state of one process: what is loaded and, once attached, for which tenant."""

    def __init__(self, wire):
        self.wire = wire
        self.send = wire.send
        self.loaded = None
        self.tenant = None
        self.version = ""
        self.output_bytes = 0
        self.dispatch = self.call

    def run(self):
        """Until the host hangs up or asks for the end."""
        receive = self.wire.receive
        while True:
            message = receive()
            if "call" in message:
                self.dispatch(message)
            else:
                self.control(message)

    def call(self, message):
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

    def control(self, message):
        """Everything that is not a call: load, attach, config, probe, drain."""
        nonce = message["nonce"]
        try:
            answer = getattr(self, "do_" + message["do"])(message)
            frame = encode_json({"nonce": nonce, "done": answer}).encode()
        except BaseException as error:  # noqa: BLE001 - a hook may raise anything
            frame = failure_of(nonce, error)
        flush_streams()
        self.send(frame)

    def do_load(self, message):
        """Import and start the plugin; which optional hooks it has."""
        self.version = message["version"]
        self.output_bytes = message["output_bytes"]
        self.loaded = loading.load(message["layers"], message["entry_point"], message["methods"])
        if message["threads"] > 1:
            from hotswap_runtime.threads import dispatch_to_threads

            self.dispatch, self.send = dispatch_to_threads(self, message["threads"])
        return {"hooks": [name for name in loading.HOOKS if self.loaded.hook(name)]}

    def do_attach(self, message):
        """From here on this process belongs to one tenant."""
        self.tenant = self.tenant_of(message)

    def do_config(self, message):
        """The tenant's configuration changed; if the hook fails, the host replaces the process."""
        self.tenant = self.tenant_of(message)
        context = TenantContext(self.tenant, "config_changed", "", message["deadline"], "", Sink())
        self.loaded.hook("config_changed")(context)

    def do_probe(self, message):
        """Ask the plugin's own liveness or readiness."""
        hook = self.loaded.hook(message["probe"])
        if hook is not None:
            hook()

    def do_drain(self, message):
        """Let the plugin finish; the host closes the wire after the answer."""
        hook = self.loaded.hook("drain")
        if hook is not None:
            hook(message["deadline"])

    def tenant_of(self, message):
        return Tenant(
            message["tenant_id"],
            message["installation_id"],
            self.version,
            message["config"],
            message["secrets"],
            message["epoch"],
        )


def main():
    """Close every door, say hello with what is in force, then serve. Never returns."""
    take_wire()
    replace_streams()
    wire = Wire()
    hello = {"landlock": confine(sys.argv[1]), "python": list(sys.version_info[:3])}
    wire.send(encode_json({"hello": hello}).encode())
    try:
        Loop(wire).run()
    except (EOFError, OSError):
        os._exit(0)
    except MemoryError:
        wire.send(failure("", "memory_limit", "out of memory outside of a call"))
    os._exit(1)
