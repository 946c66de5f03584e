"""What a plugin's author imports: ``Plugin`` to subclass, the context of a call, and the errors.

Standard library only, so that an author can import the very same directory in tests.
"""

from hotswap_plugin.context import TenantContext
from hotswap_plugin.errors import EgressDeniedError, PluginError
from hotswap_plugin.plugin import Plugin

__all__ = ["EgressDeniedError", "Plugin", "PluginError", "TenantContext"]
