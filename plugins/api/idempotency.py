"""``Idempotency-Key``: a write that is sent again gives its first answer, not a second effect.

A key belongs to the user, the method and the path. Answers that hold a secret, uploads, ``/auth``
and invoke are not decorated with this.
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from hotswap.lib.api.errors import CONTENT_TYPE, body_of, problem_of
from hotswap.lib.errors import ConflictError, InvalidInputError
from plugins.models import IdempotencyRecord

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)
KEPT_HEADERS = ("Location", "ETag", "Retry-After")
_ACCEPTED = re.compile(r"[\x21-\x7e]{1,120}", re.ASCII)
Handler = Callable[..., Response]


def idempotent(handler: Handler) -> Handler:
    """Decorates a method of a view; without the header it changes nothing."""

    @wraps(handler)
    def handle(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None or request.user.pk is None:
            return handler(view, request, *args, **kwargs)
        record, is_first = _claim(request, key)
        if not is_first:
            return _replay(record, _fingerprint(request))
        return _answer(record, lambda: handler(view, request, *args, **kwargs))

    return handle


def _claim(request: Request, key: str) -> tuple[IdempotencyRecord, bool]:
    if not _ACCEPTED.fullmatch(key):
        raise InvalidInputError(f"{HEADER} has 1 to 120 visible ASCII characters.")
    scope = {"user": request.user, "method": request.method, "path": request.path, "key": key}
    old = IdempotencyRecord.objects.filter(created_at__lt=timezone.now() - KEPT, **scope)
    old.delete()
    try:
        with transaction.atomic():
            fingerprint = _fingerprint(request)
            return IdempotencyRecord.objects.create(**scope, fingerprint=fingerprint), True
    except IntegrityError:
        record = IdempotencyRecord.objects.filter(**scope).first()
    # Gone between the two statements: the first request failed on our side and may run again.
    return (record, False) if record else _claim(request, key)


def _replay(record: IdempotencyRecord, fingerprint: str) -> Response:
    if record.fingerprint != fingerprint:
        raise ConflictError(
            f"{HEADER} {record.key} was used for another request: choose a new one.",
            code="idempotency_key_reused",
        )
    if record.status is None or record.answer is None:
        raise ConflictError(
            f"The first request with {HEADER} {record.key} has not ended; if it was cut off, look "
            "whether it took effect and choose a new one.",
            code="idempotency_in_progress",
        )
    headers = {**record.answer["headers"], "Idempotent-Replayed": "true"}
    content_type = CONTENT_TYPE if record.status >= 400 else None
    return Response(
        record.answer["body"], status=record.status, headers=headers, content_type=content_type
    )


def _answer(record: IdempotencyRecord, run: Callable[[], Response]) -> Response:
    try:
        response = run()
    except Exception as error:
        problem = problem_of(error)
        if problem is None or problem.status >= 500:
            # Nothing certain to repeat: whoever asks again runs it again.
            record.delete()
        else:
            _keep(record, problem.status, body_of(problem), problem.headers)
        raise
    headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    _keep(record, response.status_code, response.data, headers)
    return response


def _keep(record: IdempotencyRecord, status: int, body: Any, headers: Any) -> None:
    record.status = status
    record.answer = {"body": json.loads(_encoded(body)), "headers": dict(headers)}
    record.save(update_fields=["status", "answer"])


def _fingerprint(request: Request) -> str:
    parts = [request.get_full_path(), _encoded(request.data)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _encoded(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
