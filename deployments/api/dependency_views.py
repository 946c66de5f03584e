"""Whether an environment has what a version needs; asked before anybody deploys it."""

from dataclasses import replace
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deployments.api.reading import read_body
from deployments.dependencies import validate_dependencies
from hotswap.lib.api.credentials import KeyScope
from hotswap.lib.api.serializers import StrictSerializer
from hotswap.lib.roles import is_staff
from plugins.api.dependency_serializers import GraphSerializer
from plugins.api.dependency_views import find_version
from plugins.models import Environment


class EnvironmentChoiceSerializer(StrictSerializer):
    environment = serializers.SlugRelatedField("name", queryset=Environment.objects.all())


class UnmetSerializer(serializers.Serializer[Any]):
    """``found`` says what is there instead; ``tenants``, for staff, whom a pin or hold keeps."""

    needs = serializers.CharField()
    found = serializers.CharField()
    tenants = serializers.ListField(child=serializers.CharField())


class BrokenSerializer(serializers.Serializer[Any]):
    """A version in use there, as what, and the need of it that would no longer be met."""

    version = serializers.CharField()
    needs = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())


class EnvironmentDependenciesSerializer(serializers.Serializer[Any]):
    """Nothing stands in the way where ``is_valid``; the graph has what the environment runs."""

    environment = serializers.CharField()
    is_valid = serializers.BooleanField()
    unmet = UnmetSerializer(many=True)
    broken = BrokenSerializer(many=True)
    graph = GraphSerializer()


class DependencyValidation(APIView):
    # It only reads, although it is asked by POST.
    key_scope = KeyScope.READ
    rate_class = "read"

    @extend_schema(request=EnvironmentChoiceSerializer, responses=EnvironmentDependenciesSerializer)
    def post(self, request: Request, name: str, version: str) -> Response:
        """What in the environment would stop the version from being deployed. Changes nothing."""
        environment = read_body(EnvironmentChoiceSerializer, request)["environment"]
        report = validate_dependencies(find_version(name, version), environment)
        if not is_staff(request.user):
            hidden = tuple(replace(each, tenants=()) for each in report.unmet)
            report = replace(report, unmet=hidden)
        return Response(EnvironmentDependenciesSerializer(report).data)
