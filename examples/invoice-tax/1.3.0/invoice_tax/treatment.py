"""Who owes the tax and to which state: the place of supply, reduced to what an invoice shows."""

from dataclasses import dataclass

from hotswap_plugin import PluginError

from invoice_tax.rates import MEMBER_STATES, normal_country
from invoice_tax.vat_ids import is_well_formed

REVERSE_CHARGE = "Reverse charge: VAT is due by the recipient (Article 196, Directive 2006/112/EC)."
EXPORT = "Supplied outside the European Union: no EU VAT (Articles 44, 59 and 146, 2006/112/EC)."


@dataclass(frozen=True)
class Treatment:
    """``country`` is whose rates apply; None where no tax is charged."""

    kind: str
    country: str | None
    note: str = ""


def decide(seller: str, buyer: str, buyer_vat_id: str | None, one_stop_shop: bool) -> Treatment:
    """Domestic, destination (one-stop shop), origin, reverse charge or export."""
    seller, buyer = normal_country(seller), normal_country(buyer)
    if seller not in MEMBER_STATES:
        raise PluginError(f"seller_country {seller} is not a member state of the European Union")
    if buyer not in MEMBER_STATES:
        return Treatment("export", None, EXPORT)
    if buyer == seller:
        return Treatment("domestic", seller)
    if buyer_vat_id:
        return _between_businesses(buyer, buyer_vat_id)
    return Treatment("destination", buyer) if one_stop_shop else Treatment("origin", seller)


def _between_businesses(buyer: str, vat_id: str) -> Treatment:
    if not is_well_formed(vat_id):
        raise PluginError(f"buyer_vat_id {vat_id} is not a VAT identification number")
    if vat_id.replace(" ", "").upper()[:2] != buyer:
        raise PluginError(f"buyer_vat_id {vat_id} does not belong to buyer_country {buyer}")
    return Treatment("reverse_charge", None, REVERSE_CHARGE)
