"""What an attempt at a step came to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Done:
    """The state that the step names holds."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class NotYet:
    """It does not hold yet; ``detail`` says what is missing."""

    retry_in_seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """It will not hold."""

    reason: str


StepOutcome = Done | NotYet | Failed
