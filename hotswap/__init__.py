"""HotSwap: plugins for a multi-tenant platform, changed without dropping a call."""

__version__ = "0.1.0"
