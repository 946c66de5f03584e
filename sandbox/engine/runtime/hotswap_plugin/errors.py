"""Errors with a meaning on the wire. Any other exception becomes ``plugin_error`` with its text."""


class PluginError(Exception):
    """Raise it to answer a call with ``plugin_error`` and exactly this message."""


class EgressDeniedError(Exception):
    """The plugin asked for the network, or for a host, that it was not granted."""
