"""Signing in for tokens, and what people change about themselves."""

from collections.abc import Mapping
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_client_ip_address
from django.conf import settings
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import update_last_login
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from hotswap.lib.errors import InvalidInputError, LimitExceededError, UnauthenticatedError
from hotswap.lib.issuing import refresh_verifier
from hotswap.lib.tokens import TokenRefusedError
from observability.audit import record_event
from plugins.signals import end_credentials

User = get_user_model()
PROFILE = ("first_name", "last_name", "email")


def sign_in(*, request: HttpRequest, username: str, password: str) -> Any:
    """The user, with failures counted by name and address, and locked after too many."""
    if not AxesProxyHandler.is_allowed(request, {"username": username}):
        raise locked_error()
    user = authenticate(request, username=username, password=password)
    if user is None:
        # It never says which of them: names are not for guessing either.
        raise UnauthenticatedError("The username or the password is wrong.")
    # What Django's signal would do, short of beginning a session and setting its cookie.
    address = get_client_ip_address(request)
    AxesProxyHandler.reset_attempts(username=username, ip_address=address)
    update_last_login(User, user)
    # Read again: a password hash that was renewed just now moved the epoch on.
    return User.objects.select_related("account").get(pk=user.pk)


def locked_error() -> LimitExceededError:
    minutes = settings.AXES_COOLOFF_TIME.total_seconds() // 60
    return LimitExceededError(
        f"Too many failed attempts: this account is locked here for {minutes:.0f} minutes.",
        code="sign_in_locked",
        retry_after_seconds=settings.AXES_COOLOFF_TIME.total_seconds(),
    )


def user_of_refresh_token(text: str) -> Any:
    """Whom a refresh token still speaks for, or ``TokenRefusedError``."""
    claims = refresh_verifier().verify(text)
    users = User.objects.select_related("account").filter(is_active=True)
    user = users.filter(pk=claims.user_id, account__credential_epoch=claims.epoch).first()
    if user is None:
        raise TokenRefusedError("The token is no longer valid: sign in again.")
    return user


def revoke_tokens(user: Any) -> None:
    """End every access and refresh token of the user; sessions and API keys stay."""
    with transaction.atomic():
        end_credentials([user.pk])
        _record(user, "account.tokens_revoked")


def change_account(*, user: Any, changes: Mapping[str, Any]) -> Any:
    """Set names and address, and with ``current_password`` a new ``password``."""
    profile = {name: changes[name] for name in PROFILE if name in changes}
    for name, value in profile.items():
        setattr(user, name, value)
    fields = [*profile]
    if "password" in changes:
        _set_password(user, changes["current_password"], changes["password"])
        fields.append("password")
    with transaction.atomic():
        user.save(update_fields=fields)
        _record(user, "account.changed", {"fields": sorted(fields)})
    return user


def _set_password(user: Any, current: str, new: str) -> None:
    if not user.check_password(current):
        problem = {"current_password": ["This is not your password."]}
        raise InvalidInputError("current_password: This is not your password.", fields=problem)
    try:
        validate_password(new, user)
    except ValidationError as error:
        problem = {"password": list(error.messages)}
        raise InvalidInputError(f"password: {error.messages[0]}", fields=problem) from error
    user.set_password(new)


def _record(user: Any, action: str, after: Mapping[str, Any] | None = None) -> None:
    record_event(
        actor=user.get_username(),
        action=action,
        object_type="user",
        object_id=user.get_username(),
        after=after,
    )
