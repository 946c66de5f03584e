"""``./dev up``: everything running on this machine until Ctrl-C."""

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping

from hotswap.embedded.commands import MANAGE, REPOSITORY
from hotswap.embedded.errors import EmbeddedError
from hotswap.embedded.home import Home, write_private
from hotswap.embedded.leftovers import end_leftovers
from hotswap.embedded.package_index import index_settings
from hotswap.embedded.ports import first_free_port, is_free
from hotswap.embedded.processes import end, spawn, tail
from hotswap.embedded.roles import apply_roles
from hotswap.embedded.services import wait_for_end
from hotswap.embedded.stack import HOST, InstanceAddress, Stack
from hotswap.embedded.supervisor import StopRequestedError, Supervisor

READY_SECONDS = 180
LARGEST_LOG_BYTES = 10 << 20


def main(arguments: list[str]) -> int:
    """Start all, wait for Ctrl-C, stop all; the exit code is 1 when something did not start."""
    options = _parse(arguments)
    home = Home.from_environment()
    home.prepare()
    try:
        with home.hold():
            return _run(home, options)
    except EmbeddedError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev up", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="first port to try (8000)")
    parser.add_argument("--instances", type=int, default=2, help="plugin hosts in qa (2)")
    parser.add_argument("--until-ready", action="store_true", help="stop as soon as all is ready")
    return parser.parse_args(arguments)


def _run(home: Home, options: argparse.Namespace) -> int:
    began = time.monotonic()
    _shorten_logs(home)
    end_leftovers(home.run / "children")
    supervisor = Supervisor(home.run / "children")
    with supervisor.signals():
        try:
            _start(home, options, supervisor, began)
            if not options.until_ready:
                supervisor.run()
        except StopRequestedError:
            pass
        finally:
            home.state_file.unlink(missing_ok=True)
            supervisor.stop()
            print("Stopped.", flush=True)
    return 0


def _start(home: Home, options: argparse.Namespace, supervisor: Supervisor, began: float) -> None:
    stack = Stack(home)
    stack.settings = index_settings(stack.settings)
    print(f"Starting HotSwap in {home.path}", flush=True)
    supervisor.start_stage(stack.postgres)
    apply_roles(stack.postgres)
    supervisor.start_stage(stack.valkey)
    _prepare(stack, supervisor)
    port = _choose_port(options.port)
    addresses = stack.addresses(options.instances)
    supervisor.start_stage(stack.web(port), stack.worker(), stack.beat())
    supervisor.start_stage(*(stack.instance(address) for address in addresses))
    supervisor.wait_until_ready(READY_SECONDS)
    write_private(home.state_file, json.dumps(describe(stack, port, addresses), indent=1))
    print(f"Ready after {time.monotonic() - began:.0f} s.", flush=True)
    _greet(home, port, addresses)


def _prepare(stack: Stack, supervisor: Supervisor) -> None:
    """Keys, tables, static files and the demo's rows; each step changes nothing when it was done
    before.
    """
    stack.home.passwords()
    _manage(
        stack,
        supervisor,
        {
            "makekeys": ("web", ["makekeys"]),
            "migrate": ("owner", ["migrate", "--skip-checks", "--no-input"]),
            "collectstatic": ("web", ["collectstatic", "--skip-checks", "--no-input"]),
        },
    )
    passwords = str(stack.home.passwords_file)
    seed = ["seeddemo", "--passwords", passwords]
    _manage(stack, supervisor, {"seeddemo": ("worker", seed)})


def _manage(
    stack: Stack, supervisor: Supervisor, steps: Mapping[str, tuple[str, list[str]]]
) -> None:
    """Run management commands side by side; one that fails ends the start, with its output."""
    print(f"  {', '.join(steps)}", flush=True)
    log = {name: stack.home.log(name) for name in steps}
    running = {
        name: spawn(
            [sys.executable, MANAGE, *command],
            log=log[name],
            environment=stack.environment(kind),
            directory=REPOSITORY,
        )
        for name, (kind, command) in steps.items()
    }
    try:
        for name, process in running.items():
            code = wait_for_end(process, supervisor.is_stopping)
            supervisor.raise_if_stopping()
            if code != 0:
                raise EmbeddedError(f"manage.py {name} failed:\n{tail(log[name], 40)}")
    finally:
        for process in running.values():
            end(process, seconds=5)


def _choose_port(wanted: int) -> int:
    port = first_free_port(wanted)
    if not is_free(wanted):
        print(f"Another program has port {wanted}; using {port}.", flush=True)
    return port


def describe(stack: Stack, port: int, addresses: list[InstanceAddress]) -> dict[str, object]:
    """What ``run/up.json`` tells the demo and the benches."""
    return {
        "pid": os.getpid(),
        "web": f"http://{HOST}:{port}",
        "instances": [
            {
                "name": address.name,
                "environment": address.environment,
                "url": address.url,
                "internal": str(address.internal),
            }
            for address in addresses
        ],
        "redis": stack.valkey.url,
        "database": stack.postgres.url("hotswap_system"),
        "passwords": str(stack.home.passwords_file),
    }


def _greet(home: Home, port: int, addresses: list[InstanceAddress]) -> None:
    passwords = home.passwords()
    roles = {"ada": "admin", "bob": "developer", "carol": "approver", "alice": "owner of acme"}
    print(f"\n  Pages and API   http://{HOST}:{port}/")
    for address in addresses:
        print(f"  Instance {address.name}    {address.url}/  ({address.environment})")
    for name, role in roles.items():
        print(f"  Log in as       {name:6} {passwords[name]}  ({role})")
    print(f"\n  Passwords are in {home.passwords_file}, logs in {home.path / 'logs'}.")
    print("  In a second terminal: ./dev demo.  Here: Ctrl-C stops all.", flush=True)


def _shorten_logs(home: Home) -> None:
    for log in (home.path / "logs").glob("*.log"):
        if log.stat().st_size > LARGEST_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
