"""Instances that exist as rows only, and a clock that a test moves, for the real effects."""

from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from deployments.effects import LiveEffects
from deployments.executor import advance
from deployments.models import Deployment, Instance, Placement, PlacementState, Route
from observability.histogram import record
from observability.models import CallWindow
from plugins.models import Environment
from tests.factories import make_instance

FINE = {"ok": True, "failures": []}


class World(LiveEffects):
    """Effects on real rows under a clock of the test's own, and instances that do as they are told.

    ``failing`` maps a name to the detail of a failed load; ``probe`` is what every candidate's
    examples come to; those in ``deaf`` acknowledge nothing; those in ``dead`` are silent.
    """

    def __init__(self, *names, env="qa"):
        self.env = env
        self.offset = timedelta()
        self.failing, self.probe = {}, FINE
        self.deaf, self.dead = set(), set()
        self.spares = 100
        for name in names:
            make_instance(name, env=env)

    def now(self):
        return timezone.now() + self.offset

    def sleep(self, seconds):
        self.offset += timedelta(seconds=seconds)

    def follow(self):
        """What live instances do between two ticks: beat, load what is wanted, acknowledge."""
        number = Environment.objects.get(name=self.env).generation
        live = Instance.objects.filter(environment__name=self.env).exclude(name__in=self.dead)
        routes = list(Route.objects.filter(environment__name=self.env))
        reported = {(row.instance_id, row.version_id): row for row in Placement.objects.all()}
        for instance in live:
            for route in routes:
                self._load(instance, route, reported)
        live.update(heartbeat_at=self.now())
        live.exclude(name__in=self.deaf).update(acked_generation=number)

    def _load(self, instance, route, reported):
        for version in filter(None, (route.stable_id, route.candidate_id, route.warm_id)):
            wanted = self._report(instance, is_candidate=version == route.candidate_id)
            known = reported.get((instance.pk, version))
            if known and all(getattr(known, name) == value for name, value in wanted.items()):
                continue
            Placement.objects.update_or_create(
                instance=instance,
                version_id=version,
                defaults=wanted | {"boot": instance.boot, "updated_at": self.now()},
            )

    def _report(self, instance, *, is_candidate):
        broken = self.failing.get(instance.name) if is_candidate else None
        return {
            "state": PlacementState.FAILED if broken else PlacementState.READY,
            "detail": broken or "",
            "probe": self.probe if is_candidate else FINE,
            "spares": self.spares,
        }

    def tick(self, deployment):
        """One claim, at the time the deployment is due; the row afterwards."""
        deployment.refresh_from_db()
        if deployment.wake_at and deployment.wake_at > self.now():
            self.offset += deployment.wake_at - self.now()
        self.follow()
        advance(deployment.pk, self)
        deployment.refresh_from_db()
        return deployment

    def run(self, deployment, until=lambda deployment: not deployment.is_active, ticks=2_000):
        """Tick until the deployment is over, or ``until`` says so."""
        for _ in range(ticks):
            if until(self.tick(deployment)):
                return deployment
        raise AssertionError(f"{deployment} after {ticks} ticks: {steps_of(deployment)}")

    def run_to(self, deployment, kind):
        """Tick until the step of that kind is under way."""
        return self.run(deployment, lambda d: current_kind(d) == kind)


def current_kind(deployment):
    rows = deployment.steps.filter(status="running")
    return rows.values_list("kind", flat=True).first()


def steps_of(deployment):
    """(kind, status, detail) in order, the rollback's after the plan's."""
    rows = deployment.steps.order_by("phase", "position")
    return list(rows.values_list("kind", "status", "detail"))


def events_of(deployment):
    return list(deployment.events.values_list("kind", flat=True))


def route_of(plugin, env="qa"):
    return Route.objects.get(plugin=plugin, environment__name=env)


def record_calls(
    version, at, *, calls, failures=0, tenants=None, seconds=0.001, env="qa", outcomes=None
):
    """One window of one second, as an instance would have flushed it."""
    return CallWindow.objects.create(
        instance="i-1",
        boot=uuid4(),
        environment=env,
        plugin_id=version.plugin_id,
        version_id=version.pk,
        second=at.replace(microsecond=0),
        calls=calls,
        failures=failures,
        outcomes=outcomes or {"ok": calls - failures, "plugin_error": failures},
        latencies={str(record(seconds)): calls},
        tenants=tenants or {},
    )


def fresh(deployment):
    return Deployment.objects.get(pk=deployment.pk)
