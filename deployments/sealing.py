"""Hands secrets to instances: each gets its own copy, sealed to the key that only it has.

A sealed row stands for one epoch of the installation, in which config and secrets belong together.
"""

import json
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db.models import Exists, OuterRef, QuerySet
from django.dispatch import receiver
from django.utils import timezone

from deployments.models import Instance, SealedSecret
from hotswap.lib.database import scope_all
from hotswap.lib.errors import InvalidInputError
from hotswap.lib.sealing import seal
from plugins.generation import Change, routable_change
from tenants.models import TenantPluginConfig, TenantSecret
from tenants.secrets import SecretUnreadableError, reveal_secrets
from tenants.signals import epoch_changed

logger = structlog.get_logger(__name__)

# An instance that was away longer gets its secrets anew when it is back.
REMEMBERED = timedelta(days=1)
BATCH = 200


def seal_installation(installation: TenantPluginConfig) -> int:
    """Seal the installation's secrets to every instance of its environment; how many there are."""
    with routable_change(installation.environment) as change:
        return _seal_to_all(_lock(installation), change)


def seal_missing(limit: int = BATCH) -> int:
    """Seal what instances lack: they joined, have a new key, or the epoch moved on. Idempotent.

    Returns how many rows were written; the caller comes again while it is not 0.
    """
    with scope_all():
        _forget_lost_instances()
        written = 0
        for instance in _remembered_instances().select_related("environment"):
            for installation in _lacking(instance).iterator():
                if written >= limit:
                    return written
                written += _seal_one(instance, installation)
    return written


@receiver(epoch_changed)
def reseal(installation: TenantPluginConfig, change: Change, **_: Any) -> None:
    """A change of the config or a secret reaches the instances together with its secrets."""
    _seal_to_all(installation, change)


def context_of(instance_id: object, installation_id: object, epoch: int) -> bytes:
    """What a sealed row is bound to, so that no row opens in another's place."""
    return f"{instance_id}:{installation_id}:{epoch}".encode()


def _seal_to_all(installation: TenantPluginConfig, change: Change) -> int:
    sealed = SealedSecret.objects.filter(installation=installation)
    has_secrets = TenantSecret.objects.filter(installation=installation).exists()
    if not has_secrets and not sealed.exists():
        return 0
    instances = _remembered_instances().filter(environment=installation.environment_id)
    written = sum(_write(instance, installation) for instance in instances)
    # Nobody opens these any more; they must not outlive the value that they hold.
    sealed.exclude(epoch=installation.epoch).delete()
    change.touch(sealed)
    return written


def _seal_one(instance: Instance, installation: TenantPluginConfig) -> int:
    """One transaction each: whoever changes a secret at the same moment goes first or second."""
    with routable_change(instance.environment) as change:
        locked = _lock(installation)
        if not _write(instance, locked):
            return 0
        change.touch(SealedSecret.objects.filter(instance=instance, installation=locked))
    return 1


def _write(instance: Instance, installation: TenantPluginConfig) -> bool:
    """Whether it could be sealed. One bad key or value must not stand in the others' way."""
    context = context_of(instance.pk, installation.pk, installation.epoch)
    try:
        plaintext = json.dumps(reveal_secrets(installation), sort_keys=True).encode()
        ciphertext = seal(instance.public_key, plaintext, context)
    except (SecretUnreadableError, InvalidInputError) as error:
        ids = {"installation_id": str(installation.pk), "instance": instance.name}
        logger.warning("secret_not_sealed", error=error.message, **ids)
        return False
    SealedSecret.objects.update_or_create(
        instance=instance,
        installation=installation,
        defaults={
            "tenant_id": installation.tenant_id,
            "epoch": installation.epoch,
            "public_key": instance.public_key,
            "ciphertext": ciphertext,
        },
    )
    return True


def _lock(installation: TenantPluginConfig) -> TenantPluginConfig:
    rows = TenantPluginConfig.objects.select_for_update(of=("self",))
    locked: TenantPluginConfig = rows.select_related("environment").get(pk=installation.pk)
    return locked


def _lacking(instance: Instance) -> QuerySet[TenantPluginConfig]:
    secrets = TenantSecret.objects.filter(installation=OuterRef("pk"))
    current = SealedSecret.objects.filter(
        instance=instance,
        installation=OuterRef("pk"),
        epoch=OuterRef("epoch"),
        public_key=instance.public_key,
    )
    rows = TenantPluginConfig.objects.filter(environment=instance.environment_id)
    return rows.filter(Exists(secrets), ~Exists(current)).order_by("pk")


def _remembered_instances(now: datetime | None = None) -> QuerySet[Instance]:
    since = (now or timezone.now()) - REMEMBERED
    return Instance.objects.exclude(public_key="").filter(heartbeat_at__gt=since)


def _forget_lost_instances() -> None:
    since = timezone.now() - REMEMBERED
    SealedSecret.objects.filter(instance__heartbeat_at__lte=since).delete()
