"""The base of every serializer that reads a request."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know, and those that only answers have."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            refused = {name: [self._reason(name)] for name in data if not self._takes(name)}
            if refused:
                raise serializers.ValidationError(refused)
        return super().to_internal_value(data)

    def _takes(self, name: str) -> bool:
        return name in self.fields and not self.fields[name].read_only

    def _reason(self, name: str) -> str:
        if name in self.fields:
            return "This field cannot be set."
        known = ", ".join(sorted(str(known) for known in self.fields if self._takes(str(known))))
        return f"There is no such field here; known are {known or 'none'}."


class EmptySerializer(StrictSerializer):
    """A request that carries nothing."""
