"""Graphs of dependencies in answers."""

from typing import Any

from rest_framework import serializers


class NodeSerializer(serializers.Serializer[Any]):
    """A plugin; ``version`` is null where none is there, and ``status`` then empty."""

    name = serializers.CharField()
    version = serializers.CharField(allow_null=True)
    status = serializers.CharField(allow_blank=True)
    is_missing = serializers.BooleanField()


class EdgeSerializer(serializers.Serializer[Any]):
    """``source`` needs ``target``; both are names of nodes."""

    source = serializers.CharField()
    target = serializers.CharField()
    specifier = serializers.CharField(allow_blank=True)
    is_satisfied = serializers.BooleanField()


class ConflictSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    message = serializers.CharField()
    requirers = serializers.ListField(child=serializers.CharField())


class DependentSerializer(serializers.Serializer[Any]):
    """A version of another plugin that needs this one."""

    plugin = serializers.CharField()
    version = serializers.CharField()
    status = serializers.CharField()
    specifier = serializers.CharField(allow_blank=True)


class GraphSerializer(serializers.Serializer[Any]):
    """The first node is the version that was asked about."""

    nodes = NodeSerializer(many=True)
    edges = EdgeSerializer(many=True)
    conflicts = ConflictSerializer(many=True)


class DependencyGraphSerializer(GraphSerializer):
    """``needed_by`` are those whose need this version meets or would break, as they say."""

    needed_by = DependentSerializer(many=True)
