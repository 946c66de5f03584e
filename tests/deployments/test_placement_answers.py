"""What is written out by hand says what the fields would have said."""

import pytest
from rest_framework import serializers

from deployments.api.instance_serializers import PlacementSerializer
from tests.factories import make_instance, make_placement, make_plugin, make_version

pytestmark = pytest.mark.django_db


def test_a_placement_is_answered_as_its_fields_declare():
    placement = make_placement(
        make_instance("i-1"),
        make_version(make_plugin()),
        state="failed",
        detail="died",
        load_seconds=0.25,
        attestation={"tier": "bounded"},
    )

    by_hand = PlacementSerializer(placement).data
    by_fields = serializers.ModelSerializer.to_representation(
        PlacementSerializer(placement), placement
    )

    assert by_hand == dict(by_fields)
