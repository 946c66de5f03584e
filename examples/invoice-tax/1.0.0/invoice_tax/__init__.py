"""Value added tax of an invoice between any two places, by the rules of the European Union."""

from invoice_tax.plugin import InvoiceTax

__all__ = ["InvoiceTax"]
