"""What happened to a deployment, as a list and as a stream that ends by itself."""

import pytest

from deployments.api import streams
from deployments.api.streams import Streams, follow
from deployments.events import record_event
from deployments.models import Deployment, Status
from hotswap.lib.errors import LimitExceededError
from tests.factories import make_deployment


@pytest.fixture
def running(v2):
    deployment = make_deployment(v2)
    for kind in ("requested", "begun", "asked"):
        record_event(deployment, kind, f"it was {kind}")
    return deployment


@pytest.fixture
def ended(running):
    Deployment.objects.filter(pk=running.pk).update(status=Status.COMPLETED)
    return running


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self):
        self.now = 0.0
        self.on_sleep = lambda: None

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        self.on_sleep()


def _follow(deployment, clock, after=0, **options):
    return follow(deployment.pk, after, sleep=clock.sleep, clock=clock, **options)


def _address(deployment):
    return f"/api/v1/deployments/{deployment.pk}/events"


def test_events_are_listed_in_order(as_user, victor, running):
    found = as_user(victor).get(_address(running)).json()
    assert [each["sequence"] for each in found["results"]] == [1, 2, 3]
    assert found["results"][0]["message"] == "it was requested"


@pytest.mark.parametrize(("after", "left"), [(0, 3), (2, 1), (9, 0)])
def test_the_list_goes_on_after_an_event(as_user, victor, running, after, left):
    assert as_user(victor).get(f"{_address(running)}?after={after}").json()["count"] == left


@pytest.mark.parametrize("after", ["x", "-1", "1" * 20, "²"])
def test_what_is_no_number_of_an_event_is_refused(as_user, victor, running, after):
    assert as_user(victor).get(f"{_address(running)}?after={after}").status_code == 400


def test_a_stream_of_an_ended_deployment_gives_the_rest_and_ends(as_user, victor, ended):
    answer = as_user(victor).get(
        _address(ended), headers={"Accept": "text/event-stream", "Last-Event-ID": "1"}
    )
    assert answer["Content-Type"] == "text/event-stream"
    text = b"".join(answer.streaming_content).decode()
    answer.close()
    assert "id: 1\n" not in text
    assert "id: 2\nevent: begun\n" in text
    assert text.endswith("event: end\ndata: {}\n\n")


def test_who_has_seen_everything_is_told_not_to_come_back(as_user, victor, ended):
    headers = {"Accept": "text/event-stream", "Last-Event-ID": "3"}
    assert as_user(victor).get(_address(ended), headers=headers).status_code == 204


def test_an_error_on_the_way_to_a_stream_is_json(as_user, mallory, running):
    answer = as_user(mallory).get(_address(running), headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_a_stream_brings_what_happens_meanwhile(running):
    clock = Clock()

    def end():
        record_event(running, "completed")
        Deployment.objects.filter(pk=running.pk).update(status=Status.COMPLETED)

    clock.on_sleep = end
    frames = list(_follow(running, clock, after=3))
    assert [frame.split("\n")[0] for frame in frames[1:]] == ["id: 4", "event: end"]


def test_a_stream_ends_after_its_time(running):
    clock = Clock()
    frames = list(_follow(running, clock, after=3, seconds=25))
    assert clock.now == pytest.approx(25, abs=1)
    assert frames[1:] == [": still here\n\n"] * 2


def test_few_streams_are_open_at_a_time():
    counted = Streams(most=3, most_per_user=2)
    counted.enter("a")
    counted.enter("a")
    with pytest.raises(LimitExceededError):
        counted.enter("a")
    counted.enter("b")
    with pytest.raises(LimitExceededError):
        counted.enter("c")
    counted.leave("a")
    counted.enter("c")


def test_a_stream_that_has_ended_leaves_its_place(as_user, victor, ended, monkeypatch):
    monkeypatch.setattr(streams, "STREAMS", Streams(most=1))
    headers = {"Accept": "text/event-stream"}
    for _ in range(2):
        answer = as_user(victor).get(_address(ended), headers=headers)
        assert answer.status_code == 200
        refused = as_user(victor).get(_address(ended), headers=headers)
        assert (refused.status_code, refused["Retry-After"]) == (429, "5")
        # The client closes what it has read to the end, as a server does.
        assert list(answer.streaming_content)
