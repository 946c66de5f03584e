"""Payments as banks deliver them, matched to invoices; dates and amounts in the tenant's locale."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency
from dateutil import parser
from hotswap_plugin import Plugin, PluginError, TenantContext

from payment_matcher.scoring import score

# What a date without a year or month leaves open is not to depend on the day of the call.
NOTHING_KNOWN = datetime(1, 1, 1)  # noqa: DTZ001 - a date, at no place


class PaymentMatcher(Plugin):
    def startup(self) -> None:
        """The locale data is large: read it before the first call, not in it."""
        Locale.parse("en")

    def match(
        self, ctx: TenantContext, payments: list[dict[str, Any]], invoices: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """The best pair first; a payment or invoice that has its partner is out of the game."""
        dates = [_date(payment["date"]) for payment in payments]
        found = _pairs(payments, invoices, ctx.config.get("unsure_from", 60))
        sure = ctx.config.get("matched_from", 85)
        locale = ctx.config.get("locale", "en")
        matches = []
        for index, payment in enumerate(payments):
            points, invoice = found.get(index, (0.0, None))
            verdict = "none" if invoice is None else "matched" if points >= sure else "unsure"
            matches.append(
                {
                    "invoice": invoice,
                    "verdict": verdict,
                    "score": round(points, 1),
                    "date": dates[index].isoformat(),
                    "text": _text(payment, dates[index], locale),
                }
            )
        ctx.metric("payments_matched_total", sum(m["verdict"] == "matched" for m in matches))
        return {"matches": matches}


def _pairs(
    payments: list[dict[str, Any]], invoices: list[dict[str, Any]], least: float
) -> dict[int, tuple[float, str]]:
    """Greedy: what fits best is decided first."""
    candidates = [
        (score(payment, invoice), index, number)
        for index, payment in enumerate(payments)
        for number, invoice in enumerate(invoices)
    ]
    found: dict[int, tuple[float, str]] = {}
    taken: set[int] = set()
    for points, index, number in sorted(candidates, key=lambda each: (-each[0], *each[1:])):
        if points < least:
            break
        if index not in found and number not in taken:
            found[index] = points, invoices[number]["number"]
            taken.add(number)
    return found


def _date(text: str) -> date:
    try:
        return parser.parse(text, default=NOTHING_KNOWN, dayfirst=not text[:4].isdigit()).date()
    except (ValueError, OverflowError) as error:
        raise PluginError(f"{text!r} is not a date") from error


def _text(payment: dict[str, Any], day: date, locale: str) -> str:
    amount = format_currency(Decimal(payment["amount"]), payment["currency"], locale=locale)
    return f"{amount}, {format_date(day, format='medium', locale=locale)}"
