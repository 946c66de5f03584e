"""How well a payment fits an invoice, from 0 to 100."""

import re
from decimal import Decimal
from typing import Any

from rapidfuzz import fuzz, utils

REFERENCE, NAME, AMOUNT = 0.4, 0.25, 0.35
SHORTEST_NUMBER = 3
_NOISE = re.compile(r"[^0-9a-z]+")


def score(payment: dict[str, Any], invoice: dict[str, Any]) -> float:
    """0 for another currency; else the invoice's number, the payer's name and the amount."""
    if payment["currency"] != invoice["currency"]:
        return 0.0
    return (
        REFERENCE * _reference(payment.get("reference", ""), invoice["number"])
        + NAME * _name(payment.get("payer", ""), invoice["customer"])
        + AMOUNT * _amount(Decimal(payment["amount"]), Decimal(invoice["total"]))
    )


def _reference(text: str, number: str) -> float:
    """People leave out hyphens, add words and swap digits."""
    wanted, given = _NOISE.sub("", number.lower()), _NOISE.sub("", text.lower())
    if len(wanted) < SHORTEST_NUMBER or len(given) < SHORTEST_NUMBER:
        return 0.0
    return fuzz.partial_ratio(wanted, given) if len(given) >= len(wanted) else 0.0


def _name(payer: str, customer: str) -> float:
    return fuzz.token_sort_ratio(payer, customer, processor=utils.default_process)


def _amount(paid: Decimal, total: Decimal) -> float:
    """Each percent that is missing or too much costs ten points: discounts, bank charges."""
    if not total:
        return 0.0
    return float(max(Decimal(0), 100 - abs(paid - total) / total * 1000))
