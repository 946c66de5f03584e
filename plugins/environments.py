"""Environments: made, adjusted, frozen. Instances hear of each change by its generation."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from hotswap.lib.errors import ConflictError, ForbiddenError, InvalidInputError
from hotswap.lib.roles import is_admin
from observability.audit import record_event
from plugins.generation import routable_change
from plugins.models import Environment

EDITABLE = ("position", "required_approvals", "requires_approved_versions")


def create_environment(*, name: str, by: Any, **values: Any) -> Environment:
    _check_admin(by)
    environment = Environment(name=name, **values)
    _check_fields(environment)
    try:
        with transaction.atomic():
            environment.save(force_insert=True)
            _record(by, "environment.created", environment, after=_described(environment))
    except IntegrityError as error:
        raise ConflictError(
            f"There is an environment {name} already: choose another name.", code="name_taken"
        ) from error
    return environment


def update_environment(
    *, environment: Environment, by: Any, changes: Mapping[str, Any]
) -> Environment:
    """Change what deployments to it need. Plans that exist keep what was asked of them."""
    _check_admin(by)
    before = _described(environment)
    for name in EDITABLE:
        setattr(environment, name, changes.get(name, getattr(environment, name)))
    _check_fields(environment)
    with routable_change(environment):
        environment.save(update_fields=EDITABLE)
        _record(by, "environment.updated", environment, before, _described(environment))
    environment.refresh_from_db()
    return environment


def set_frozen(*, environment: Environment, by: Any, is_frozen: bool, reason: str) -> Environment:
    """A frozen environment allows rollbacks only. Asking for what is so already changes nothing."""
    _check_admin(by)
    action = "environment.frozen" if is_frozen else "environment.unfrozen"
    with routable_change(environment):
        rows = Environment.objects.filter(pk=environment.pk, is_frozen=not is_frozen)
        if rows.update(is_frozen=is_frozen):
            _record(by, action, environment, after={"reason": reason})
    environment.refresh_from_db()
    return environment


def _check_admin(by: Any) -> None:
    if not is_admin(by):
        raise ForbiddenError("Only an Admin may change environments.")


def _check_fields(environment: Environment) -> None:
    try:
        environment.full_clean(validate_unique=False)
    except ValidationError as error:
        fields = error.message_dict
        name, messages = next(iter(fields.items()))
        raise InvalidInputError(f"{name}: {messages[0]}", fields=fields) from error


def _described(environment: Environment) -> dict[str, Any]:
    return {name: getattr(environment, name) for name in ("name", *EDITABLE)}


def _record(
    by: Any,
    action: str,
    environment: Environment,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    record_event(
        actor=by.get_username(),
        action=action,
        object_type="environment",
        object_id=environment.name,
        before=before,
        after=after,
    )
