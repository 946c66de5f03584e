"""Who may call which of the registry's endpoints; own plugins are the services' to check."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from hotswap.lib.api.credentials import SAFE_METHODS
from hotswap.lib.api.permissions import (
    CanAdminister,
    CanApproveVersions,
    CanRegisterPlugins,
)
from plugins.models import Plugin, PluginVersion
from plugins.rules import may_edit

__all__ = ["CanAdminister", "CanApproveVersions", "CanEditPlugin", "CanRegisterPlugins"]


class CanEditPlugin(BasePermission):
    message = "Only the plugin's owner or an Admin may do this."

    def has_object_permission(
        self, request: Request, view: Any, obj: Plugin | PluginVersion
    ) -> bool:
        plugin = obj.plugin if isinstance(obj, PluginVersion) else obj
        return request.method in SAFE_METHODS or may_edit(request.user, plugin)
