"""VAT rates of the 27 member states, in percent.

As in force on 1 January 2026: since that day Finland's reduced rate is 13.5 % and Lithuania's 12
%; Romania is at 21 % since August 2025, Estonia at 24 % since July 2025. Compiled from the
European Commission's Taxes in Europe Database (TEDB, "VAT rates"). Regions with rates of their own
(Madeira, Corsica, the Aegean islands and others) are not covered. Parking rates are those of
Article 118 of Directive 2006/112/EC.
"""

from decimal import Decimal

TABLE_DATE = "2026-01-01"
CATEGORIES = ("standard", "reduced", "second_reduced", "super_reduced", "parking", "zero")

# Standard; reduced from the highest down; super-reduced; parking.
_RATES: dict[str, tuple[str, tuple[str, ...], str | None, str | None]] = {
    "AT": ("20", ("13", "10"), None, "13"),
    "BE": ("21", ("12", "6"), None, "12"),
    "BG": ("20", ("9",), None, None),
    "CY": ("19", ("9", "5"), "3", None),
    "CZ": ("21", ("12",), None, None),
    "DE": ("19", ("7",), None, None),
    "DK": ("25", (), None, None),
    "EE": ("24", ("13", "9"), None, None),
    "EL": ("24", ("13", "6"), None, None),
    "ES": ("21", ("10",), "4", None),
    "FI": ("25.5", ("13.5", "10"), None, None),
    "FR": ("20", ("10", "5.5"), "2.1", None),
    "HR": ("25", ("13", "5"), None, None),
    "HU": ("27", ("18", "5"), None, None),
    "IE": ("23", ("13.5", "9"), "4.8", "13.5"),
    "IT": ("22", ("10", "5"), "4", None),
    "LT": ("21", ("12", "5"), None, None),
    "LU": ("17", ("8",), "3", "14"),
    "LV": ("21", ("12", "5"), None, None),
    "MT": ("18", ("7", "5"), None, "12"),
    "NL": ("21", ("9",), None, None),
    "PL": ("23", ("8", "5"), None, None),
    "PT": ("23", ("13", "6"), None, "13"),
    "RO": ("21", ("11",), None, None),
    "SE": ("25", ("12", "6"), None, None),
    "SI": ("22", ("9.5", "5"), None, None),
    "SK": ("23", ("19", "5"), None, None),
}
MEMBER_STATES = frozenset(_RATES)


def normal_country(code: str) -> str:
    """Greece is GR in ISO 3166 and EL in everything about VAT."""
    return "EL" if code == "GR" else code


def rates_of(country: str) -> dict[str, Decimal]:
    """The rates of a member state by category; a category that it does not have is missing."""
    standard, reduced, super_reduced, parking = _RATES[country]
    listed = (standard, *(*reduced, None, None)[:2], super_reduced, parking, "0")
    pairs = zip(CATEGORIES, listed, strict=True)
    return {category: Decimal(rate) for category, rate in pairs if rate is not None}
