"""The registry's requests and answers."""

from typing import Any

from django.contrib.auth import get_user_model
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from hotswap.lib.api.serializers import StrictSerializer
from plugins.api.trust_serializers import EnvelopeField, SignedBySerializer, WarningSerializer
from plugins.compatibility import BreakingChange, breaking_changes, find_unannounced
from plugins.incoming import Beside
from plugins.models import Environment, Plugin, PluginVersion, VersionStatus
from plugins.owners import Part

User = get_user_model()
PARTS = [str(part) for part in Part]


class PluginSerializer(serializers.ModelSerializer[Plugin]):
    owner = serializers.CharField(source="owner.username", read_only=True)
    replacement = serializers.CharField(
        source="replacement.name", default=None, read_only=True, allow_null=True
    )
    tags = serializers.ListField(child=serializers.CharField(), read_only=True)
    version_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = Plugin
        fields = (
            *("name", "summary", "type", "tags", "owner", "is_active", "is_deprecated"),
            *("deprecation_reason", "replacement", "requires_signature", "version_count"),
            *("revision", "created_at", "updated_at"),
        )
        read_only_fields = fields


class PluginChangesSerializer(StrictSerializer):
    summary = serializers.CharField(max_length=200, allow_blank=True, required=False)
    type = serializers.CharField(max_length=40, required=False)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=40), max_length=20, required=False
    )
    is_active = serializers.BooleanField(required=False)
    requires_signature = serializers.BooleanField(required=False)


class PluginPatchSerializer(PluginChangesSerializer):
    is_deprecated = serializers.BooleanField(
        required=False, help_text="false withdraws a deprecation; /deprecate declares one."
    )

    def validate_is_deprecated(self, value: bool) -> bool:
        if value:
            raise serializers.ValidationError("Deprecate it by POST to /deprecate, with a reason.")
        return value


class PluginReplaceSerializer(PluginChangesSerializer):
    """PUT: what is left out goes back to its default, except the two switches."""

    summary = serializers.CharField(max_length=200, allow_blank=True, default="")
    type = serializers.CharField(max_length=40, default="general")
    tags = serializers.ListField(
        child=serializers.CharField(max_length=40), max_length=20, default=list
    )


class RegisterPluginSerializer(StrictSerializer):
    name = serializers.CharField(max_length=60, trim_whitespace=False)
    summary = serializers.CharField(max_length=200, allow_blank=True, default="")
    type = serializers.CharField(max_length=40, default="general")
    tags = serializers.ListField(
        child=serializers.CharField(max_length=40), max_length=20, default=list
    )


class DeprecatePluginSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=200)
    replacement = serializers.SlugRelatedField(
        slug_field="name", queryset=Plugin.objects.all(), default=None, allow_null=True
    )


class HolderSerializer(serializers.Serializer[Any]):
    """Somebody who may edit the plugin."""

    user = serializers.CharField(read_only=True)
    role = serializers.ChoiceField(PARTS, read_only=True)


class NewHolderSerializer(StrictSerializer):
    """``role`` owner gives the plugin away; the owner of before stays an editor."""

    user = serializers.SlugRelatedField(
        "username", queryset=User.objects.filter(is_active=True).exclude(username="AnonymousUser")
    )
    role = serializers.ChoiceField(PARTS, default=str(Part.EDITOR))


class VersionSerializer(serializers.ModelSerializer[PluginVersion]):
    """One line of a list of versions."""

    plugin = serializers.CharField(source="plugin.name", read_only=True)
    uploaded_by = serializers.CharField(source="uploaded_by.username", read_only=True)
    digest = serializers.CharField(source="artifact_digest", read_only=True)
    size_bytes = serializers.IntegerField(source="artifact_bytes", read_only=True)
    status = serializers.ChoiceField(VersionStatus.choices, read_only=True)

    class Meta:
        model = PluginVersion
        fields = (
            *("plugin", "version", "status", "status_reason", "digest", "size_bytes"),
            *("uploaded_by", "created_at"),
        )
        read_only_fields = fields


class DecisionSerializer(serializers.Serializer[Any]):
    user = serializers.CharField(source="user.username", read_only=True)
    approved = serializers.BooleanField(read_only=True)
    comment = serializers.CharField(read_only=True)
    at = serializers.DateTimeField(read_only=True)


class DependencyReportSerializer(serializers.Serializer[Any]):
    plugins = serializers.ListField(child=serializers.CharField(), read_only=True)
    python = serializers.ListField(child=serializers.CharField(), read_only=True)


class BreakingChangeSerializer(serializers.Serializer[Any]):
    """``kind`` is one of a few words; ``path`` leads to the place in the manifest."""

    kind = serializers.CharField(read_only=True)
    path = serializers.CharField(read_only=True)
    message = serializers.CharField(read_only=True)


class VersionDetailSerializer(VersionSerializer):
    """``breaking_changes`` compare with the newest older version that was approved.

    ``warnings`` has one more, ``breaking_unannounced``, where the number is no new major version.
    """

    manifest = serializers.DictField(read_only=True)
    dependencies = serializers.SerializerMethodField()
    is_breaking = serializers.SerializerMethodField()
    breaking_changes = serializers.SerializerMethodField()
    compared_with = serializers.SerializerMethodField()
    decisions = DecisionSerializer(many=True, read_only=True)
    warnings = serializers.SerializerMethodField()
    signed_by = SignedBySerializer(read_only=True, allow_null=True)

    class Meta(VersionSerializer.Meta):
        fields = (
            *VersionSerializer.Meta.fields,
            *("manifest_digest", "manifest", "dependencies", "is_breaking", "breaking_changes"),
            *("compared_with", "decisions", "warnings", "signed_by"),
        )
        read_only_fields = fields

    @extend_schema_field(DependencyReportSerializer)
    def get_dependencies(self, version: PluginVersion) -> dict[str, list[str]]:
        declared = version.manifest.get("dependencies", {})
        return {kind: declared.get(kind, []) for kind in ("plugins", "python")}

    def get_is_breaking(self, version: PluginVersion) -> bool:
        return bool(self._changes(version))

    @extend_schema_field(BreakingChangeSerializer(many=True))
    def get_breaking_changes(self, version: PluginVersion) -> Any:
        return BreakingChangeSerializer(self._changes(version), many=True).data

    def get_compared_with(self, version: PluginVersion) -> str | None:
        older = self._older(version)
        return older.version if older else None

    @extend_schema_field(WarningSerializer(many=True))
    def get_warnings(self, version: PluginVersion) -> Any:
        older = self._older(version)
        said = find_unannounced(older.manifest, version.manifest) if older else ""
        more = {"code": "breaking_unannounced", "path": "hotswap.toml", "message": said}
        found = [*version.warnings, *([more] if said else [])]
        return WarningSerializer(found, many=True).data

    def _changes(self, version: PluginVersion) -> list[BreakingChange]:
        older = self._older(version)
        return breaking_changes(older.manifest, version.manifest) if older else []

    def _older(self, version: PluginVersion) -> PluginVersion | None:
        # Several fields ask for it; one version is shown by one serializer.
        if not hasattr(self, "_compared"):
            self._compared = PluginVersion.objects.approved_before(version).first()
        return self._compared


class BesideSerializer(StrictSerializer):
    """``manifest``, if sent, is the text of ``hotswap.toml`` and must equal the one inside;
    ``signature`` is a publisher's DSSE envelope.
    """

    manifest = serializers.CharField(required=False, trim_whitespace=False)
    signature = EnvelopeField(required=False)

    def beside(self) -> Beside:
        given = self.validated_data
        return Beside(manifest=given.get("manifest"), signature=given.get("signature"))


class UploadSerializer(BesideSerializer):
    """One artifact, and what is sent along with it."""

    artifact = serializers.FileField()


class CommentSerializer(StrictSerializer):
    comment = serializers.CharField(max_length=500, allow_blank=True, default="")


class EnvironmentSerializer(serializers.ModelSerializer[Environment]):
    class Meta:
        model = Environment
        fields = (
            *("name", "position", "required_approvals", "requires_approved_versions"),
            *("is_frozen", "generation"),
        )
        read_only_fields = fields


class EnvironmentChangesSerializer(StrictSerializer):
    position = serializers.IntegerField(min_value=0, max_value=32767, required=False)
    required_approvals = serializers.IntegerField(min_value=0, max_value=20, required=False)
    requires_approved_versions = serializers.BooleanField(required=False)


class NewEnvironmentSerializer(EnvironmentChangesSerializer):
    name = serializers.CharField(max_length=40)


class FreezeSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=200)
