"""What a plugin's author imports: ``Plugin`` to subclass, the context of a call, and the errors.

Standard library only, so that an author can import the very same directory in tests.
"""

from .context import TenantContext
from .errors import EgressDeniedError, PluginError
from .plugin import Plugin

__all__ = ["EgressDeniedError", "Plugin", "PluginError", "TenantContext"]
