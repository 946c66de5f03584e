"""What runs where, and how one version takes another's place."""

from deployments.models.alarm import IntegrityAlarm
from deployments.models.deployment import (
    ACTIVE,
    TERMINAL,
    TRANSITIONS,
    Deployment,
    DeploymentCommand,
    DeploymentEvent,
    DeploymentKind,
    DeploymentStep,
    Status,
    StepStatus,
)
from deployments.models.instance import (
    Instance,
    Placement,
    PlacementState,
    SealedSecret,
)
from deployments.models.routing import Admission, Hold, Route

__all__ = [
    "ACTIVE",
    "TERMINAL",
    "TRANSITIONS",
    "Admission",
    "Deployment",
    "DeploymentCommand",
    "DeploymentEvent",
    "DeploymentKind",
    "DeploymentStep",
    "Hold",
    "Instance",
    "IntegrityAlarm",
    "Placement",
    "PlacementState",
    "Route",
    "SealedSecret",
    "Status",
    "StepStatus",
]
