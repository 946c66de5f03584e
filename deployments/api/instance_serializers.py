"""Instances, the health of plugins and the kill switch."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from deployments.dependencies import who_needs
from deployments.health import Verdict
from deployments.models import IntegrityAlarm, Placement, PlacementState, Route
from hotswap.lib.api.serializers import StrictSerializer
from plugins.models import Environment

STATES = ("live", "loading", "cordoned", "silent", "stopped")
ROLES = ("stable", "candidate", "warm", "loaded")
_TIME = serializers.DateTimeField()


class PlacementSerializer(serializers.ModelSerializer[Placement]):
    plugin = serializers.CharField(source="version.plugin.name", read_only=True)
    version = serializers.CharField(source="version.version", read_only=True)
    state = serializers.ChoiceField(PlacementState.choices, read_only=True)
    attestation = serializers.DictField(read_only=True, allow_null=True)

    class Meta:
        model = Placement
        fields = (
            *("plugin", "version", "state", "detail", "load_seconds", "processes", "spares"),
            *("attestation", "updated_at"),
        )
        read_only_fields = fields

    def to_representation(self, instance: Placement) -> dict[str, Any]:
        """By hand: hundreds of these are in an answer, and field by field they cost most of it."""
        return {
            "plugin": instance.version.plugin.name,
            "version": instance.version.version,
            "state": instance.state,
            "detail": instance.detail,
            "load_seconds": instance.load_seconds,
            "processes": instance.processes,
            "spares": instance.spares,
            "attestation": instance.attestation,
            "updated_at": _TIME.to_representation(instance.updated_at),
        }


class AlarmSerializer(serializers.ModelSerializer[IntegrityAlarm]):
    """A version that the instance refuses because it is not what was approved."""

    plugin = serializers.CharField(source="version.plugin.name", read_only=True)
    version = serializers.CharField(source="version.version", read_only=True)

    class Meta:
        model = IntegrityAlarm
        fields = ("plugin", "version", "code", "detail", "times", "first_at", "last_at")
        read_only_fields = fields


class InstanceSerializer(serializers.Serializer[Any]):
    """``behind``: how many generations of the environment it has yet to take in.

    ``alarms`` are those of the last day; only the platform's staff sees them.
    """

    name = serializers.CharField(source="instance.name")
    environment = serializers.CharField(source="instance.environment.name")
    state = serializers.ChoiceField(STATES)
    public_address = serializers.CharField(source="instance.public_address")
    generation = serializers.IntegerField(source="instance.acked_generation")
    behind = serializers.IntegerField()
    is_cordoned = serializers.BooleanField(source="instance.is_cordoned")
    started_at = serializers.DateTimeField(source="instance.started_at")
    heartbeat_at = serializers.DateTimeField(source="instance.heartbeat_at")
    stopped_at = serializers.DateTimeField(source="instance.stopped_at", allow_null=True)
    placements = PlacementSerializer(many=True)
    alarms = AlarmSerializer(many=True)


class CheckSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    passed = serializers.BooleanField(allow_null=True)
    detail = serializers.CharField(allow_blank=True)


class InstanceHealthSerializer(serializers.Serializer[Any]):
    instance = serializers.CharField()
    state = serializers.ChoiceField(PlacementState.choices)
    checks = CheckSerializer(many=True)


class VersionHealthSerializer(serializers.Serializer[Any]):
    version = serializers.CharField()
    role = serializers.ChoiceField(ROLES)
    verdict = serializers.ChoiceField([str(verdict) for verdict in Verdict])
    performance = CheckSerializer()
    instances = InstanceHealthSerializer(many=True)


class HealthSerializer(serializers.Serializer[Any]):
    plugin = serializers.CharField()
    environment = serializers.CharField()
    verdict = serializers.ChoiceField([str(verdict) for verdict in Verdict])
    versions = VersionHealthSerializer(many=True)


class FiguresSerializer(serializers.Serializer[Any]):
    calls = serializers.IntegerField()
    failures = serializers.IntegerField()
    error_rate = serializers.FloatField()
    calls_per_second = serializers.FloatField()
    p50_seconds = serializers.FloatField(allow_null=True)
    p95_seconds = serializers.FloatField(allow_null=True)
    p99_seconds = serializers.FloatField(allow_null=True)
    outcomes = serializers.DictField(child=serializers.IntegerField())


class MetricsSerializer(serializers.Serializer[Any]):
    plugin = serializers.CharField()
    environment = serializers.CharField()
    window_seconds = serializers.IntegerField()
    overall = FiguresSerializer()
    versions = serializers.DictField(child=FiguresSerializer())


class KillRequestSerializer(StrictSerializer):
    environment = serializers.SlugRelatedField(
        "name", queryset=Environment.objects.all(), required=False, help_text="Left out: all."
    )
    reason = serializers.CharField(max_length=200)


class KilledSerializer(serializers.Serializer[Any]):
    """``needed_by``: versions of other plugins in use there that need this one."""

    environment = serializers.CharField(source="environment.name")
    is_killed = serializers.BooleanField()
    needed_by = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_needed_by(self, route: Route) -> list[str]:
        return who_needs(route.plugin, route.environment)
