"""From ``module:object`` to the functions that serve the declared methods."""

from __future__ import annotations

import sys
from importlib import import_module

from hotswap_plugin.plugin import Plugin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

HOOKS = ("startup", "liveness", "readiness", "config_changed", "drain")


class LoadError(Exception):
    """The entry point cannot be used; the text says why and what would do."""


class Loaded:
    """A started plugin: ``methods`` by name, and the object that has the hooks (or None)."""

    def __init__(self, methods: dict[str, Callable[..., Any]], plugin: object) -> None:
        self.methods = methods
        self.plugin = plugin

    def hook(self, name: str) -> Callable[..., Any] | None:
        """The plugin's own hook, or None."""
        found: Callable[..., Any] | None = getattr(self.plugin, name, None)
        return found


def load(layers: list[str], entry_point: str, methods: list[str]) -> Loaded:
    """Import the entry point from the layers, make the object, run its ``startup``."""
    sys.path.extend(layers)
    module_name, _, object_name = entry_point.partition(":")
    module = import_module(module_name)
    refuse_foreign(module, layers)
    target: object = module
    for part in object_name.split("."):
        target = getattr(target, part, None)
    if target is None:
        raise LoadError(f"{module_name} has no object named {object_name}")
    return bind(target, methods, entry_point)


def refuse_foreign(module: ModuleType, layers: list[str]) -> None:
    """An entry point into the standard library would make ``os:system`` a plugin."""
    path = getattr(module, "__file__", None) or ""
    if not path.startswith(tuple(layer + "/" for layer in layers)):
        raise LoadError(f"{module.__name__} is not part of the plugin's own files")


def bind(target: object, methods: list[str], entry_point: str) -> Loaded:
    """A Plugin subclass serves each method by name; a plain function serves all declared ones.

    The function finds the method's name in ``ctx.method``.
    """
    if isinstance(target, type):
        if not issubclass(target, Plugin):
            raise LoadError(f"{entry_point} is a class, but not one of hotswap_plugin.Plugin")
        plugin = target()
        bound = {name: bind_method(plugin, name) for name in methods}
        plugin.startup()
        return Loaded(bound, plugin)
    if not callable(target):
        raise LoadError(f"{entry_point} is neither a Plugin subclass nor a function")
    return Loaded(dict.fromkeys(methods, target), None)


def bind_method(plugin: object, name: str) -> Callable[..., Any]:
    """The method of the plugin that serves calls of ``name``."""
    if name.startswith("_") or name in HOOKS:
        raise LoadError(f"{name} cannot be a method: the name is taken")
    method: Callable[..., Any] | None = getattr(plugin, name, None)
    if not callable(method):
        raise LoadError(
            f"the manifest declares the method {name}, but {type(plugin).__name__} has none"
        )
    return method
