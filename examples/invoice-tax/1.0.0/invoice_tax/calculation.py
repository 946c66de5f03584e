"""Net, tax and gross of lines, in exact decimals, rounded half up to cents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hotswap_plugin import PluginError

CENT = Decimal("0.01")
NO_TAX = Decimal(0)


@dataclass(frozen=True)
class Line:
    net: Decimal
    rate: Decimal

    @property
    def exact_tax(self) -> Decimal:
        return self.net * self.rate / 100


def read_lines(
    lines: Sequence[Mapping[str, Any]], rates: Mapping[str, Decimal] | None
) -> list[Line]:
    """Quantity times unit price, rounded to cents as on the invoice; without rates, no tax."""
    return [_read_line(number, line, rates) for number, line in enumerate(lines, start=1)]


def _read_line(number: int, line: Mapping[str, Any], rates: Mapping[str, Decimal] | None) -> Line:
    net = to_cents(Decimal(line.get("quantity", "1")) * Decimal(line["unit_price"]))
    if rates is None:
        return Line(net, NO_TAX)
    category = line.get("category", "standard")
    if category not in rates:
        raise PluginError(f"line {number}: this country has no {category} rate")
    return Line(net, rates[category])


def total(lines: Sequence[Line], rounding: str) -> dict[str, Any]:
    """Tax rounded on every line, or once on the whole invoice."""
    shown = [_show(line) for line in lines]
    net = sum((line.net for line in lines), NO_TAX)
    if rounding == "line":
        tax = sum((to_cents(line.exact_tax) for line in lines), NO_TAX)
    else:
        tax = to_cents(sum((line.exact_tax for line in lines), NO_TAX))
    return {"lines": shown, "net": text(net), "tax": text(tax), "gross": text(net + tax)}


def _show(line: Line) -> dict[str, str]:
    tax = to_cents(line.exact_tax)
    return {
        "net": text(line.net),
        "rate": f"{line.rate.normalize():f}",
        "tax": text(tax),
        "gross": text(line.net + tax),
    }


def to_cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def text(amount: Decimal) -> str:
    return f"{amount.quantize(CENT):f}"
