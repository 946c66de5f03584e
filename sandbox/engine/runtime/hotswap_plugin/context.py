"""What a call knows about its tenant. Hand-made slots: importing dataclasses would double the start time."""

from types import MappingProxyType

from hotswap_plugin.errors import EgressDeniedError


class Secrets(dict):
    """Secret values by name. Printing it shows the names only."""

    def __repr__(self):
        return "<secrets: %s>" % ", ".join(sorted(self))

    __str__ = __repr__


class DeniedHttp:
    """Stands where the HTTP client would be for a plugin without a granted host."""

    __slots__ = ()

    def request(self, method, url, **_options):
        """Always refuses, naming what was asked for."""
        raise EgressDeniedError("%s %s: this plugin is not granted any egress host" % (method, url))

    def get(self, url, **options):
        return self.request("GET", url, **options)

    def post(self, url, **options):
        return self.request("POST", url, **options)

    def put(self, url, **options):
        return self.request("PUT", url, **options)

    def delete(self, url, **options):
        return self.request("DELETE", url, **options)


class Tenant:
    """What stays the same between two changes of the tenant's configuration."""

    __slots__ = ("config", "epoch", "installation_id", "secrets", "tenant_id", "version")

    def __init__(self, tenant_id, installation_id, version, config, secrets, epoch):
        self.tenant_id = tenant_id
        self.installation_id = installation_id
        self.version = version
        self.config = MappingProxyType(config) if isinstance(config, dict) else config
        self.secrets = MappingProxyType(Secrets(secrets))
        self.epoch = epoch


class TenantContext:
    """Frozen. ``deadline`` is on the clock of ``time.monotonic()``; ids are opaque strings."""

    __slots__ = ("_sink", "_tenant", "call_id", "deadline", "method", "traceparent")

    http = DeniedHttp()

    def __init__(self, tenant, method, call_id, deadline, traceparent, sink):
        put = object.__setattr__
        put(self, "_tenant", tenant)
        put(self, "method", method)
        put(self, "call_id", call_id)
        put(self, "deadline", deadline)
        put(self, "traceparent", traceparent)
        put(self, "_sink", sink)

    def __setattr__(self, name, _value):
        raise AttributeError("the context of a call is frozen: %s cannot be set" % name)

    __delattr__ = __setattr__

    @property
    def tenant_id(self):
        return self._tenant.tenant_id

    @property
    def installation_id(self):
        return self._tenant.installation_id

    @property
    def version(self):
        return self._tenant.version

    @property
    def config(self):
        return self._tenant.config

    @property
    def secrets(self):
        return self._tenant.secrets

    def log(self, message, **fields):
        """One line of the plugin's log."""
        self._sink.log(message, fields)

    def metric(self, name, value=1, **labels):
        """One sample of a metric that the manifest declares; anything else is dropped by the host."""
        self._sink.metric(name, value, labels)
