"""The sections of a manifest, read from checked tables."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from plugins.jsonvalues import JsonRefusedError, check_json
from plugins.manifest_reader import Table
from plugins.manifest_types import (
    NO_FIELDS,
    ConfigSpec,
    EgressRule,
    Example,
    Health,
    Isolation,
    MethodSpec,
    MetricSpec,
    Permissions,
    Resources,
    SecretSpec,
)

MAX_METHODS = 64
MAX_EXAMPLES = 20
MAX_SECRETS = 32
MAX_METRICS = 20
MAX_EGRESS_RULES = 32
MAX_EXAMPLE_BYTES = 32 * 1024
MAX_EXAMPLE_DEPTH = 32
HTTP_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
FIELD_FORM = "lower-case letters, digits and underscores, a letter first, at most 63"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})+", re.ASCII)
_HOST_FORM = "write a full ASCII host name such as api.example.com, or *.example.com"
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", re.ASCII)
_HOP_HEADERS = frozenset(
    [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "te",
        "trailer",
        "keep-alive",
    ]
)


def read_methods(root: Table, wall_seconds: float) -> dict[str, MethodSpec]:
    """``[methods.<name>]``; a method may use less than the process's wall limit, not more."""
    pairs = root.named_tables("methods", MAX_METHODS, FIELD_NAME, FIELD_FORM)
    if not pairs:
        root.problem("methods", "must declare at least one method, as [methods.<name>]")
    return {name: _read_method(table, wall_seconds) for name, table in pairs}


def _read_method(table: Table, wall_seconds: float) -> MethodSpec:
    method = MethodSpec(
        summary=table.text("summary", ""),
        timeout_seconds=table.number("timeout_seconds", wall_seconds, 0.01, 300),
        idempotent=table.boolean("idempotent", default=False),
        input_schema=read_object(table, "input_schema", NO_FIELDS),
        output_schema=read_object(table, "output_schema", {}),
        examples=tuple(_read_example(item) for item in table.tables("examples", MAX_EXAMPLES)),
    )
    if method.timeout_seconds > wall_seconds:
        limit = f"must not exceed resources.wall_seconds, which is {wall_seconds:g}"
        table.problem("timeout_seconds", limit)
    table.finish()
    return method


def _read_example(table: Table) -> Example:
    example = Example(
        parameters=_read_sample(table, "parameters", {}),
        result=_read_sample(table, "result", None),
        expect=read_object(table, "expect", {}) if table.has("expect") else None,
        config=_read_sample(table, "config", {}),
        secrets=_read_sample(table, "secrets", {}),
    )
    if example.result is not None and example.expect is not None:
        table.problem("expect", "cannot stand beside result: give one of them")
    if not all(isinstance(value, str) for value in example.secrets.values()):
        table.problem("secrets", "must be strings")
    table.finish()
    return example


def read_object(table: Table, key: str, default: Mapping[str, Any]) -> dict[str, Any]:
    """A table kept as it is; its JSON Schema is compiled later, once."""
    value = table.take(key)
    if value is None:
        return dict(default)
    if not isinstance(value, dict):
        table.problem(key, "must be a table")
        return dict(default)
    return value


def _read_sample(table: Table, key: str, default: dict[str, Any] | None) -> Any:
    """JSON of an example; where the default is a table, it must be one."""
    value = table.take(key)
    if value is None:
        return default
    if default is not None and not isinstance(value, dict):
        table.problem(key, "must be a table")
        return default
    try:
        check_json(value, max_bytes=MAX_EXAMPLE_BYTES, max_depth=MAX_EXAMPLE_DEPTH)
    except JsonRefusedError as refusal:
        table.problem(".".join(part for part in (key, refusal.path) if part), refusal.reason)
        return default
    return value


def read_config(root: Table) -> ConfigSpec:
    table = root.table("config")
    config = ConfigSpec(schema=read_object(table, "schema", NO_FIELDS))
    table.finish()
    return config


def read_secrets(root: Table) -> dict[str, SecretSpec]:
    pairs = root.named_tables("secrets", MAX_SECRETS, FIELD_NAME, FIELD_FORM)
    return {name: _read_secret(table) for name, table in pairs}


def _read_secret(table: Table) -> SecretSpec:
    mode = table.choice("mode", "header", ("header", "value"))
    summary = table.text("summary", "")
    if mode == "header":
        host, header = _read_host(table), _read_header(table)
        secret = SecretSpec(mode, summary, host=host, header=header)
    else:
        secret = SecretSpec(mode, summary)
        for key in ("host", "header"):
            if table.take(key) is not None:
                table.problem(key, 'is only for mode = "header"')
    table.finish()
    return secret


def _read_header(table: Table) -> str:
    header = table.text("header", pattern=_HEADER, form="write an HTTP header's name")
    if header.lower() in _HOP_HEADERS or header.lower().startswith("proxy-"):
        table.problem("header", f"{header} belongs to the connection and cannot carry a secret")
    return header


def _read_host(table: Table) -> str:
    host = table.text("host", maximum=253, pattern=_HOST, form=_HOST_FORM)
    if host and _is_address(host):
        table.problem("host", f"{host} is an address, not a name: {_HOST_FORM}")
    return host


def _is_address(host: str) -> bool:
    """Also the spellings that resolvers take for one: 127.1, 0x7f.1."""
    try:
        return bool(ip_address(host))
    except ValueError:
        last = host.rpartition(".")[2]
        return last.isdigit() or last.startswith("0x")


def read_permissions(root: Table) -> Permissions:
    table = root.table("permissions")
    rules = tuple(_read_egress(item) for item in table.tables("egress", MAX_EGRESS_RULES))
    permissions = Permissions(native=table.boolean("native", default=False), egress=rules)
    table.finish()
    return permissions


def _read_egress(table: Table) -> EgressRule:
    methods = table.strings("methods") or ("GET",)
    for method in methods:
        if method not in HTTP_METHODS:
            table.problem("methods", f"{method[:32]!r} is not one of {', '.join(HTTP_METHODS)}")
    ports = table.integers("ports", (443,))
    if not ports or any(not 0 < port < 65536 for port in ports):
        table.problem("ports", "must be numbers from 1 to 65535")
    rule = EgressRule(host=_read_host(table), methods=methods, ports=ports)
    table.finish()
    return rule


def read_resources(root: Table) -> Resources:
    table, default = root.table("resources"), Resources()
    resources = Resources(
        memory_mb=table.integer("memory_mb", default.memory_mb, 32, 4096),
        cpu_seconds=table.number("cpu_seconds", default.cpu_seconds, 0.1, 300),
        wall_seconds=table.number("wall_seconds", default.wall_seconds, 0.1, 300),
        pids=table.integer("pids", default.pids, 1, 256),
        tmp_mb=table.integer("tmp_mb", default.tmp_mb, 1, 1024),
        processes=table.integer("processes", default.processes, 1, 16),
        threads=table.integer("threads", default.threads, 1, 32),
    )
    if resources.processes > 1 and resources.threads > 1:
        table.problem("threads", "cannot be combined with processes: raise one of them")
    table.finish()
    return resources


def read_health(root: Table) -> Health:
    table, default = root.table("health"), Health()
    health = Health(
        startup_seconds=table.number("startup_seconds", default.startup_seconds, 1, 300),
        liveness_seconds=table.number("liveness_seconds", default.liveness_seconds, 0.1, 60),
        readiness_seconds=table.number("readiness_seconds", default.readiness_seconds, 0.1, 60),
        error_rate=table.number("error_rate", 1, 0, 1) if table.has("error_rate") else None,
        p99_seconds=table.number("p99_seconds", 1, 0, 300) if table.has("p99_seconds") else None,
    )
    table.finish()
    return health


def read_metrics(root: Table) -> dict[str, MetricSpec]:
    pairs = root.named_tables("metrics", MAX_METRICS, FIELD_NAME, FIELD_FORM)
    return {name: _read_metric(table) for name, table in pairs}


def _read_metric(table: Table) -> MetricSpec:
    metric = MetricSpec(
        type=table.choice("type", None, ("counter", "gauge", "histogram")),
        summary=table.text("summary", ""),
        unit=table.text("unit", "", maximum=32),
    )
    table.finish()
    return metric


def read_isolation(root: Table) -> Isolation:
    table = root.table("isolation")
    isolation = Isolation(scope=table.choice("scope", "tenant", ("tenant", "version")))
    table.finish()
    return isolation
