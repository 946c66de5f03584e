"""An alarm is the first thing on the overview."""

import pytest
from django.utils import timezone

from deployments.models import IntegrityAlarm
from tests.factories import make_instance, make_plugin, make_version

pytestmark = pytest.mark.django_db


def text(response):
    return response.content.decode()


@pytest.mark.parametrize("page", ["/", "/live/"])
def test_the_overview_says_what_was_tampered_with(signed_in, ada, bob, page):
    instance, now = make_instance(), timezone.now()
    IntegrityAlarm.objects.create(
        instance=instance,
        version=make_version(make_plugin(owner=bob), "1.1.0"),
        boot=instance.boot,
        code="artifact_tampered",
        detail="What the storage holds <has> another sha256.",
        first_at=now,
        last_at=now,
    )
    shown = text(signed_in(ada).get(page))

    assert "Tampered with" in shown
    assert "holds &lt;has&gt; another sha256" in shown
    assert "artifact_tampered" in shown
    assert shown.index("Tampered with") < shown.index("Under way")


def test_nothing_is_said_when_nothing_happened(signed_in, ada):
    make_instance()

    assert "Tampered with" not in text(signed_in(ada).get("/"))
