"""The methods that the manifest declares."""

from typing import Any

from hotswap_plugin import Plugin, TenantContext

from invoice_tax.calculation import read_lines, total
from invoice_tax.rates import MEMBER_STATES, TABLE_DATE, normal_country, rates_of
from invoice_tax.treatment import decide
from invoice_tax.vat_ids import is_well_formed

Json = dict[str, Any]


class InvoiceTax(Plugin):
    def quote(
        self,
        ctx: TenantContext,
        buyer_country: str,
        lines: list[Json],
        seller_country: str | None = None,
        buyer_vat_id: str | None = None,
        rounding: str | None = None,
    ) -> Json:
        """Tax of an invoice; what the call leaves out comes from the tenant's configuration."""
        seller = seller_country or ctx.config.get("seller_country", "DE")
        one_stop_shop = ctx.config.get("one_stop_shop", True)
        treatment = decide(seller, buyer_country, buyer_vat_id, one_stop_shop)
        rates = rates_of(treatment.country) if treatment.country else None
        chosen = rounding or ctx.config.get("rounding", "line")
        result = total(read_lines(lines, rates), chosen)
        ctx.metric("invoices_quoted_total")
        return {
            **result,
            "treatment": treatment.kind,
            "note": treatment.note,
            "rounding": chosen,
            "rate_table": TABLE_DATE,
        }

    def rates(self, ctx: TenantContext, country: str | None = None) -> Json:
        """The rates of one member state, or of all."""
        wanted = [normal_country(country)] if country else sorted(MEMBER_STATES)
        table = {name: self._shown(name) for name in wanted if name in MEMBER_STATES}
        return {"rate_table": TABLE_DATE, "rates": table}

    def check_vat_id(self, ctx: TenantContext, vat_id: str) -> Json:
        """Whether the number is well formed; not whether it is registered."""
        return {"vat_id": vat_id, "well_formed": is_well_formed(vat_id)}

    @staticmethod
    def _shown(country: str) -> dict[str, str]:
        return {name: f"{rate.normalize():f}" for name, rate in rates_of(country).items()}
