"""From ``module:object`` to the functions that serve the declared methods."""

import sys
from importlib import import_module

from hotswap_plugin.plugin import Plugin

HOOKS = ("startup", "liveness", "readiness", "config_changed", "drain")


class LoadError(Exception):
    """The entry point cannot be used; the text says why and what would do."""


class Loaded:
    """A started plugin: ``methods`` by name, and the object that has the hooks (or None)."""

    def __init__(self, methods, plugin):
        self.methods = methods
        self.plugin = plugin

    def hook(self, name):
        """The plugin's own hook, or None."""
        return getattr(self.plugin, name, None)


def load(layers, entry_point, methods):
    """Import the entry point from the layers, make the object, run its ``startup``."""
    sys.path.extend(layers)
    module_name, _, object_name = entry_point.partition(":")
    module = import_module(module_name)
    refuse_foreign(module, layers)
    target = module
    for part in object_name.split("."):
        target = getattr(target, part, None)
    if target is None:
        raise LoadError("%s has no object named %s" % (module_name, object_name))
    return bind(target, methods, entry_point)


def refuse_foreign(module, layers):
    """An entry point into the standard library would make ``os:system`` a plugin."""
    path = getattr(module, "__file__", None) or ""
    if not path.startswith(tuple(layer + "/" for layer in layers)):
        raise LoadError("%s is not part of the plugin's own files" % module.__name__)


def bind(target, methods, entry_point):
    """A Plugin subclass serves each method by name; a plain function serves all that are declared."""
    if isinstance(target, type):
        if not issubclass(target, Plugin):
            raise LoadError(
                "%s is a class but not a subclass of hotswap_plugin.Plugin" % entry_point
            )
        plugin = target()
        bound = {name: bind_method(plugin, name) for name in methods}
        plugin.startup()
        return Loaded(bound, plugin)
    if not callable(target):
        raise LoadError("%s is neither a Plugin subclass nor a function" % entry_point)
    return Loaded(dict.fromkeys(methods, target), None)


def bind_method(plugin, name):
    """The method of the plugin that serves calls of ``name``."""
    if name.startswith("_") or name in HOOKS:
        raise LoadError("%s cannot be a method: the name is taken" % name)
    method = getattr(plugin, name, None)
    if not callable(method):
        raise LoadError(
            "the manifest declares the method %s, but %s has none" % (name, type(plugin).__name__)
        )
    return method
