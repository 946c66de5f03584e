"""How each of HotSwap's own processes is started, and the environment that it gets."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
MANAGE = str(REPOSITORY / "manage.py")
# The database role of each kind of process; the superuser is nobody's.
DATABASE_ROLES = {
    "owner": "hotswap_owner",
    "web": "hotswap_web",
    "worker": "hotswap_system",
    "beat": "hotswap_system",
    "instance": "hotswap_instance",
}


def web_command(port: int, host: str = "127.0.0.1") -> list[str]:
    """The web server; a request holds one of its threads."""
    return [
        *(
            sys.executable,
            "-m",
            "granian",
            "--interface",
            "wsgi",
            "--host",
            host,
            "--port",
            str(port),
        ),
        *("--workers", "1", "--blocking-threads", "8", "--backlog", "512", "--no-ws"),
        *("--respawn-failed-workers", "hotswap.wsgi:application"),
    ]


def worker_command(name: str = "worker", processes: int = 2) -> list[str]:
    """The Celery worker: a prefork pool of ``processes``."""
    return [
        *(sys.executable, "-m", "celery", "-A", "hotswap", "worker", "--loglevel", "INFO"),
        *("--concurrency", str(processes), "--hostname", f"{name}@%h"),
    ]


def beat_command(state: Path) -> list[str]:
    """Celery beat, which finds due rows; ``state`` is a file that it may write."""
    return [
        *(sys.executable, "-m", "celery", "-A", "hotswap", "beat", "--loglevel", "INFO"),
        *("--pidfile=", "--schedule", str(state)),
    ]


def instance_command(name: str, environment: str, listen: str, internal: Path) -> list[str]:
    """A plugin host: ``listen`` is its public host:port, ``internal`` the Unix socket for the other
    processes.
    """
    return [
        *(sys.executable, MANAGE, "runinstance", "--environment", environment, "--name", name),
        *("--listen", listen, "--internal", str(internal)),
    ]


def process_environment(
    kind: str, settings: Mapping[str, str], database_url: str
) -> dict[str, str]:
    """The environment of a process of ``kind``: the caller's without its HOTSWAP_*, ``settings``,
    its database role.

    An instance is told where the public keys are and nothing about the private ones.
    """
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("HOTSWAP_")
    }
    environment = {
        **inherited,
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "hotswap.settings",
        **settings,
        "HOTSWAP_DATABASE_URL": database_url,
    }
    if kind == "instance":
        keys = Path(environment.pop("HOTSWAP_KEYS_DIR", Path(settings["HOTSWAP_HOME"]) / "keys"))
        environment["HOTSWAP_PUBLIC_KEYS_DIR"] = str(keys / "public")
        environment["HOTSWAP_KEYS_DIR"] = "/nonexistent"
        # It resolves nothing, and the address may carry a password.
        for name in ("HOTSWAP_INDEX_URL", "HOTSWAP_INDEX_URL_FILE"):
            environment.pop(name, None)
    return environment
