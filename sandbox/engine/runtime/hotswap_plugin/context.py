"""What a call knows about its tenant.

Hand-made slots: importing dataclasses would double the start time of every process.
"""

from __future__ import annotations

from types import MappingProxyType

from .errors import EgressDeniedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, NoReturn, Protocol

    class Sink(Protocol):
        """Where the log lines and metrics of a call go."""

        def log(self, message: str, fields: Mapping[str, Any]) -> None: ...

        def metric(self, name: str, value: float, labels: Mapping[str, Any]) -> None: ...


class Secrets(dict[str, str]):
    """Secret values by name. Printing it shows the names only."""

    def __repr__(self) -> str:
        return f"<secrets: {', '.join(sorted(self))}>"

    __str__ = __repr__


class DeniedHttp:
    """Stands where the HTTP client would be for a plugin without a granted host."""

    __slots__ = ()

    def request(self, method: str, url: str, **_options: Any) -> NoReturn:
        """Always refuses, naming what was asked for."""
        raise EgressDeniedError(f"{method} {url}: this plugin is not granted any egress host")

    def get(self, url: str, **options: Any) -> NoReturn:
        """See ``request``."""
        self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> NoReturn:
        """See ``request``."""
        self.request("POST", url, **options)

    def put(self, url: str, **options: Any) -> NoReturn:
        """See ``request``."""
        self.request("PUT", url, **options)

    def patch(self, url: str, **options: Any) -> NoReturn:
        """See ``request``."""
        self.request("PATCH", url, **options)

    def delete(self, url: str, **options: Any) -> NoReturn:
        """See ``request``."""
        self.request("DELETE", url, **options)


class Tenant:
    """What stays the same between two changes of the tenant's configuration."""

    __slots__ = ("config", "epoch", "installation_id", "secrets", "tenant_id", "version")

    def __init__(
        self,
        tenant_id: str,
        installation_id: str,
        version: str,
        config: dict[str, Any],
        secrets: dict[str, str],
        epoch: int,
    ) -> None:
        self.tenant_id = tenant_id
        self.installation_id = installation_id
        self.version = version
        self.config = MappingProxyType(config)
        self.secrets = MappingProxyType(Secrets(secrets))
        self.epoch = epoch


class TenantContext:
    """Frozen. ``deadline`` is on the clock of ``time.monotonic()``; ids are opaque strings."""

    __slots__ = ("_sink", "_tenant", "call_id", "deadline", "method", "traceparent")

    if TYPE_CHECKING:
        _sink: Sink
        _tenant: Tenant
        call_id: str
        deadline: float
        method: str
        traceparent: str

    http = DeniedHttp()

    def __init__(
        self,
        tenant: Tenant,
        method: str,
        call_id: str,
        deadline: float,
        traceparent: str,
        sink: Sink,
    ) -> None:
        put = object.__setattr__
        put(self, "_tenant", tenant)
        put(self, "method", method)
        put(self, "call_id", call_id)
        put(self, "deadline", deadline)
        put(self, "traceparent", traceparent)
        put(self, "_sink", sink)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"the context of a call is frozen: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"the context of a call is frozen: {name} cannot be deleted")

    @property
    def tenant_id(self) -> str:
        """The tenant that calls."""
        return self._tenant.tenant_id

    @property
    def installation_id(self) -> str:
        """The tenant's installation of this plugin."""
        return self._tenant.installation_id

    @property
    def version(self) -> str:
        """The plugin's version that runs."""
        return self._tenant.version

    @property
    def config(self) -> Mapping[str, Any]:
        """The tenant's configuration, as its schema allows it."""
        return self._tenant.config

    @property
    def secrets(self) -> Mapping[str, str]:
        """The tenant's secrets that are handed over as values."""
        return self._tenant.secrets

    def log(self, message: str, **fields: Any) -> None:
        """One line of the plugin's log."""
        self._sink.log(message, fields)

    def metric(self, name: str, value: float = 1, **labels: Any) -> None:
        """One sample of a metric that the manifest declares; the host drops any other."""
        self._sink.metric(name, value, labels)
