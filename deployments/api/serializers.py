"""Deployments, their plans, steps and events."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from deployments.approvals import count_approvals
from deployments.calls import count_calls
from deployments.commands import CommandKind
from deployments.models import Deployment, DeploymentEvent, DeploymentStep, Status
from deployments.models.deployment import DeploymentKind, Phase, StepStatus
from deployments.progress import progress_of, text_of
from deployments.rights import offered_commands
from deployments.services import IF_ACTIVE
from hotswap.lib.api.serializers import StrictSerializer
from hotswap.lib.errors import InvalidInputError
from plugins.models import Environment, Plugin, PluginVersion

SHOWN_STATUSES = (*Status.values, "paused")


class PlanRequestSerializer(StrictSerializer):
    plugin = serializers.SlugRelatedField("name", queryset=Plugin.objects.all())
    environment = serializers.SlugRelatedField("name", queryset=Environment.objects.all())
    version = serializers.CharField(max_length=40, help_text="The candidate, such as 1.2.0.")
    strategy = serializers.CharField(max_length=40, default="direct")
    options = serializers.DictField(default=dict, help_text="See GET /strategies.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        plugin, version = attrs["plugin"], attrs.pop("version")
        found = PluginVersion.objects.filter(plugin=plugin, version=version)
        attrs["candidate"] = found.select_related("plugin").first()
        if attrs["candidate"] is None:
            reason = f"plugin {plugin} has no version {version}"
            raise InvalidInputError(f"{reason}.", fields={"version": [reason]})
        return attrs


class DeploymentRequestSerializer(PlanRequestSerializer):
    if_active = serializers.ChoiceField(IF_ACTIVE, default="reject")


class PlannedStepSerializer(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    kind = serializers.CharField()
    arguments = serializers.DictField()
    title = serializers.CharField()
    tenants = serializers.IntegerField(allow_null=True)


class ConfigProblemSerializer(serializers.Serializer[Any]):
    """Where in the config, and what is wrong there."""

    path = serializers.CharField(allow_blank=True)
    message = serializers.CharField()

    def to_representation(self, instance: tuple[str, str]) -> dict[str, str]:
        return {"path": instance[0], "message": instance[1]}


class OffenderSerializer(serializers.Serializer[Any]):
    tenant = serializers.CharField()
    problems = ConfigProblemSerializer(many=True)


class PreviewSerializer(serializers.Serializer[Any]):
    """What a deployment would do."""

    plugin = serializers.CharField()
    environment = serializers.CharField()
    candidate = serializers.CharField()
    incumbent = serializers.CharField(allow_null=True)
    strategy = serializers.CharField()
    options = serializers.DictField()
    required_approvals = serializers.IntegerField()
    tenants = serializers.IntegerField()
    excluded = serializers.IntegerField()
    steps = PlannedStepSerializer(many=True)
    offenders = OffenderSerializer(many=True)
    warnings = serializers.ListField(child=serializers.CharField())


class ProgressSerializer(serializers.Serializer[Any]):
    done = serializers.FloatField()
    total = serializers.IntegerField()
    percent = serializers.IntegerField()
    label = serializers.CharField()
    is_going_back = serializers.BooleanField()


class StepSerializer(serializers.ModelSerializer[DeploymentStep]):
    phase = serializers.ChoiceField(Phase.choices, read_only=True)
    status = serializers.ChoiceField(StepStatus.choices, read_only=True)
    arguments = serializers.DictField(read_only=True)
    title = serializers.SerializerMethodField()

    class Meta:
        model = DeploymentStep
        fields = (
            *("phase", "position", "kind", "arguments", "title", "status", "detail"),
            *("started_at", "finished_at"),
        )
        read_only_fields = fields

    def get_title(self, step: DeploymentStep) -> str:
        return text_of(step)


class CallCountSerializer(serializers.Serializer[Any]):
    calls = serializers.IntegerField()
    failures = serializers.IntegerField()


class VersionCallsSerializer(serializers.Serializer[Any]):
    candidate = CallCountSerializer(allow_null=True)
    incumbent = CallCountSerializer(allow_null=True)


class DeploymentSerializer(serializers.ModelSerializer[Deployment]):
    """One line of a list; ``status`` is ``paused`` while ``pause_reasons`` hold it."""

    plugin = serializers.CharField(source="plugin.name", read_only=True)
    environment = serializers.CharField(source="environment.name", read_only=True)
    candidate = serializers.CharField(source="candidate.version", read_only=True)
    incumbent = serializers.CharField(source="incumbent.version", default=None, read_only=True)
    requested_by = serializers.CharField(source="requested_by.username", read_only=True)
    kind = serializers.ChoiceField(DeploymentKind.choices, read_only=True)
    status = serializers.ChoiceField(SHOWN_STATUSES, source="shown_status", read_only=True)
    options = serializers.DictField(read_only=True)
    pause_reasons = serializers.ListField(child=serializers.CharField(), read_only=True)
    progress = serializers.SerializerMethodField()

    class Meta:
        model = Deployment
        fields = (
            *("id", "plugin", "environment", "candidate", "incumbent", "kind", "strategy"),
            *("options", "status", "pause_reasons", "progress", "reason", "required_approvals"),
            *("requested_by", "created_at", "started_at", "routed_at", "finished_at"),
        )
        read_only_fields = fields

    @extend_schema_field(ProgressSerializer)
    def get_progress(self, deployment: Deployment) -> Any:
        return ProgressSerializer(progress_of(deployment, timezone.now())).data


class DeploymentDetailSerializer(DeploymentSerializer):
    """``may`` lists what the caller could ask of it now."""

    steps = StepSerializer(many=True, read_only=True)
    approvals = serializers.SerializerMethodField()
    calls = serializers.SerializerMethodField()
    may = serializers.SerializerMethodField()

    class Meta(DeploymentSerializer.Meta):
        fields = (*DeploymentSerializer.Meta.fields, "approvals", "steps", "calls", "may")
        read_only_fields = fields

    def get_approvals(self, deployment: Deployment) -> int:
        return count_approvals(deployment)

    @extend_schema_field(VersionCallsSerializer)
    def get_calls(self, deployment: Deployment) -> Any:
        found: dict[Any, Any] = count_calls(deployment, timezone.now())
        return {
            "candidate": _counted(found.get(deployment.candidate_id)),
            "incumbent": _counted(found.get(deployment.incumbent_id)),
        }

    @extend_schema_field(
        serializers.ListField(child=serializers.ChoiceField([str(k) for k in CommandKind]))
    )
    def get_may(self, deployment: Deployment) -> list[str]:
        user = self.context["request"].user
        return [str(kind) for kind in offered_commands(user, deployment)]


class EventSerializer(serializers.ModelSerializer[DeploymentEvent]):
    data = serializers.DictField(read_only=True)

    class Meta:
        model = DeploymentEvent
        fields = ("sequence", "kind", "message", "data", "at")
        read_only_fields = fields


class CommandSerializer(StrictSerializer):
    comment = serializers.CharField(
        max_length=300, allow_blank=True, default="", help_text="Why; it is kept."
    )


class OptionSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    type = serializers.CharField()
    default = serializers.FloatField()
    unit = serializers.CharField()
    minimum = serializers.FloatField()
    maximum = serializers.FloatField()
    help = serializers.CharField()


class StrategySerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()
    summary = serializers.CharField()
    options = OptionSerializer(many=True)


def _counted(count: Any) -> Any:
    return None if count is None else CallCountSerializer(count).data
