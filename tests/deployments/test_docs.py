"""docs/deployments.md names everything that exists, with the numbers of the code."""

import re
from pathlib import Path

import pytest

from deployments import guardrails, reports
from deployments.commands import CommandKind
from deployments.executor import PROGRESS_SECONDS
from deployments.models import Status
from deployments.steps import KINDS
from deployments.strategies import STRATEGIES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "deployments.md").read_text()
CODE = re.compile(r'code="([a-z_]+)"')


def test_every_status_step_and_command_is_described():
    names = {*Status.values, *KINDS, *CommandKind} - {CommandKind.SUPERSEDE}

    assert {name for name in names if f"| `{name}` |" not in PAGE} == set()


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
def test_every_option_is_described_as_the_code_has_it(strategy):
    for option in strategy.options():
        bounds = f"{option.minimum:g} to {option.maximum:g}"
        row = f"| `{option.name}` | {option.default:g} | {bounds} | {option.unit} | {option.help} |"
        assert row in PAGE


def test_every_refusal_is_described():
    modules = ("refusals", "requests", "approvals", "services", "strategies/base")
    modules += ("strategies/__init__",)
    texts = [(ROOT / "deployments" / f"{name}.py").read_text() for name in modules]
    codes = {code for text in texts for code in CODE.findall(text)}

    assert len(codes) > 8
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()


@pytest.mark.parametrize(
    "words",
    [
        f"at least {guardrails.MIN_CALLS} calls failed within {guardrails.WINDOW_SECONDS} s",
        f"{guardrails.MAX_CRASHES} processes crashed",
        f"at least {guardrails.MIN_CALLS_FOR_LATENCY} calls each",
        f"without the first {guardrails.WARM_UP_SECONDS} s",
        f"by more than {guardrails.MIN_LATENCY_DIFFERENCE_SECONDS * 1000:g} ms",
        f"successful call in at least {guardrails.MIN_TENANT_CALLS}",
        f"younger than {reports.LIVE_SECONDS} s",
        f"awaited for {reports.EXCUSED_SECONDS} s",
        f"no progress for {PROGRESS_SECONDS} s",
    ],
)
def test_every_number_is_the_codes(words):
    assert words in PAGE
