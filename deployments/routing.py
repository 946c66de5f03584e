"""Which version serves a tenant. Pure: every instance gives the same answer from the same rows."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Rule(StrEnum):
    """Why a tenant gets its version, or none; the first that applies decides."""

    KILLED = "killed"
    DISABLED = "disabled"
    PIN = "pin"
    HOLD = "hold"
    ADMISSION = "admission"
    STABLE = "stable"
    UNDEPLOYED = "undeployed"


@dataclass(frozen=True, slots=True)
class Decision:
    """``version_id`` is None where no version serves the tenant; ``rule`` says why."""

    version_id: str | None
    rule: Rule


class RoutedPlugin(Protocol):
    """What the rows of one plugin in one environment say about everybody."""

    @property
    def is_killed(self) -> bool: ...
    @property
    def is_active(self) -> bool: ...
    @property
    def stable_id(self) -> str | None: ...
    @property
    def candidate_id(self) -> str | None: ...
    @property
    def admitted(self) -> AbstractSet[str]: ...
    @property
    def holds(self) -> Mapping[str, str]: ...


class Installed(Protocol):
    """What the rows say about one tenant. Times are Unix seconds."""

    @property
    def is_enabled(self) -> bool: ...
    @property
    def pinned_version_id(self) -> str | None: ...
    @property
    def pin_expires_at(self) -> float | None: ...


def choose_version(  # noqa: PLR0911 - one for each rule
    plugin: RoutedPlugin, tenant_id: str, installation: Installed | None, now: float
) -> Decision:
    """Kill switch, installation, pin, hold, admission, stable: in this order."""
    if plugin.is_killed or not plugin.is_active:
        return Decision(None, Rule.KILLED)
    if installation is None or not installation.is_enabled:
        return Decision(None, Rule.DISABLED)
    if is_pinned(installation, now):
        return Decision(installation.pinned_version_id, Rule.PIN)
    held = plugin.holds.get(tenant_id)
    if held is not None:
        return Decision(held, Rule.HOLD)
    if plugin.candidate_id is not None and tenant_id in plugin.admitted:
        return Decision(plugin.candidate_id, Rule.ADMISSION)
    if plugin.stable_id is None:
        return Decision(None, Rule.UNDEPLOYED)
    return Decision(plugin.stable_id, Rule.STABLE)


def is_pinned(installation: Installed, now: float) -> bool:
    """Whether a pin is in force: one that has expired counts for nothing."""
    if installation.pinned_version_id is None:
        return False
    return installation.pin_expires_at is None or now < installation.pin_expires_at
