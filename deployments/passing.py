"""Web passes an invoke on to an instance of the environment; the instance does all the rest.

A call that may have started is never sent again unless its method is declared idempotent: an
instance that refuses the connection has not started it, one that breaks it off may have.
"""

import http.client
import json
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from urllib3.util.wait import wait_for_read

from deployments.models import Route
from deployments.reports import live_instances
from hotswap.lib.api.errors import problem_response
from hotswap.lib.api.problems import Problem
from hotswap.lib.database import scope_all
from plugins.models import Environment
from tenants.models import Tenant

KNOWN_SECONDS = 0.5
LONGEST_CALL_SECONDS = 320
UNIX = "unix:"
PASSED_ON = ("Authorization", "Content-Type", "X-Request-ID", "traceparent")
PASSED_BACK = ("content-type", "retry-after", "www-authenticate")
PASSED_BACK_PREFIXES = ("x-hotswap-", "x-ratelimit-")

_INVOKE = re.compile(r"/api/v1/tenants/([^/]+)/plugins/([^/]+)/invoke")

T = TypeVar("T")


class NotStartedError(Exception):
    """The instance cannot have begun the call: the request never reached it."""


class BrokenOffError(Exception):
    """The instance had the whole request and went away without an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@csrf_exempt
@require_POST
def invoke(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """``POST /tenants/{slug}/plugins/{name}/invoke``: the credential is checked by the instance."""
    if "Authorization" not in request.headers:
        return problem_response(_no_credential())
    try:
        body = request.body
    except RequestDataTooBig:
        return problem_response(Problem(413, "too_large", "The call's body is over 4 MiB."))
    environment = _environment_of(slug, request.GET.get("environment"))
    if environment is None:
        return problem_response(Problem(404, "not_found", f"There is no tenant {slug} for you."))
    for address in _addresses(environment):
        try:
            return _respond(_send(address, request, body))
        except NotStartedError:
            continue
        except BrokenOffError:
            if not _may_repeat(environment, name, body):
                return problem_response(_broken_off(name))
    return problem_response(_nobody(environment))


class PassingMiddleware:
    """Answers calls before sessions, users and database scopes are looked up, which they need not:
    together those cost several times what passing a call on does.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        found = _INVOKE.fullmatch(request.path)
        if found is None:
            return self.get_response(request)
        return invoke(request, found[1], found[2])


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("instance", timeout=LONGEST_CALL_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Connections(threading.local):
    """One kept connection for each instance in each thread."""

    def __init__(self) -> None:
        self.by_address: dict[str, _UnixConnection] = {}

    def take(self, address: str) -> _UnixConnection:
        """A connection that is open at this moment; raises NotStartedError if there is none."""
        connection = self.by_address.pop(address, None)
        # Anything to read before a request was sent is the other side's end.
        if connection is not None and connection.sock and not wait_for_read(connection.sock, 0):
            return connection
        if connection is not None:
            connection.close()
        connection = _UnixConnection(address.removeprefix(UNIX))
        try:
            connection.connect()
        except OSError as error:
            raise NotStartedError(str(error)) from error
        return connection

    def give_back(self, address: str, connection: _UnixConnection) -> None:
        if connection.sock is not None:
            self.by_address[address] = connection


_connections = _Connections()


def _send(address: str, request: HttpRequest, body: bytes) -> Answer:
    connection = _connections.take(address)
    headers = {name: value for name in PASSED_ON if (value := request.headers.get(name))}
    headers.setdefault("X-Request-ID", getattr(request, "request_id", ""))
    try:
        connection.request("POST", request.path, body, headers)
    except OSError as error:
        # The request is one write; without its last byte the instance answers nobody.
        connection.close()
        raise NotStartedError(str(error)) from error
    try:
        response = connection.getresponse()
        answer = Answer(response.status, tuple(response.getheaders()), response.read())
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise BrokenOffError(str(error)) from error
    _connections.give_back(address, connection)
    return answer


def _respond(answer: Answer) -> HttpResponse:
    kept = [
        (name, value)
        for name, value in answer.headers
        if name.lower() in PASSED_BACK or name.lower().startswith(PASSED_BACK_PREFIXES)
    ]
    return HttpResponse(answer.body, status=answer.status, headers=dict(kept))


def _may_repeat(environment: Environment, name: str, body: bytes) -> bool:
    """Whether the stable version declares the method idempotent."""
    route = Route.objects.filter(plugin__name=name, environment=environment)
    stable = route.select_related("stable").first()
    if stable is None or stable.stable is None:
        return False
    method = _method_of(body)
    return bool(stable.stable.manifest["methods"].get(method, {}).get("idempotent"))


def _method_of(body: bytes) -> str:
    try:
        return str(json.loads(body)["method"])
    except (ValueError, KeyError, TypeError):
        return ""


def _broken_off(name: str) -> Problem:
    return Problem(
        502,
        "instance_lost",
        f"The instance that ran this call of {name} went away. The call may have taken effect; "
        "its method is not declared idempotent, so it was not sent again.",
    )


def _no_credential() -> Problem:
    """Before anything is looked up: a stranger must not learn which tenants exist."""
    message = "Send an access token or an API key as Authorization: Bearer …"
    headers = {"WWW-Authenticate": "Bearer"}
    return Problem(401, "not_authenticated", message, headers=headers)


def _nobody(environment: Environment) -> Problem:
    message = f"No instance of {environment.name} answers; try again shortly."
    return Problem(503, "unavailable", message, headers={"Retry-After": "1"})


class _Known:
    """Answers of the database, remembered for half a second: calls come faster than they change."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, tuple[float, Any]] = {}

    def get(self, key: Hashable, ask: Callable[[], T]) -> T:
        now = time.monotonic()
        found = self._answers.get(key)
        if found is None or now - found[0] > KNOWN_SECONDS:
            if len(self._answers) > 10_000:
                self._answers.clear()
            found = self._answers[key] = (now, ask())
        answer: T = found[1]
        return answer


_known = _Known()


def _environment_of(slug: str, name: str | None) -> Environment | None:
    def ask() -> Environment | None:
        with scope_all():
            tenant = Tenant.objects.select_related("home_environment").filter(slug=slug).first()
        if tenant is None:
            return None
        if name is None:
            return tenant.home_environment
        return Environment.objects.filter(name=name).first()

    return _known.get((slug, name), ask)


def _addresses(environment: Environment) -> Iterator[str]:
    """Inner doors of the live instances in random order, those that are ready first."""

    def ask() -> tuple[tuple[bool, str], ...]:
        live = live_instances(environment, timezone.now())
        return tuple((each.is_ready, each.internal_address) for each in live)

    doors = list(_known.get(environment.pk, ask))
    random.shuffle(doors)
    for _, address in sorted(doors, key=lambda door: not door[0]):
        yield address
