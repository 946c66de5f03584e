"""VAT identification numbers: their form per member state. Whether one is live, only VIES knows."""

import re

# How many digits follow the country's two letters.
_DIGITS = {"BG": "9,10", "CZ": "8,10", "DE": "9", "DK": "8", "EE": "9", "EL": "9", "FI": "8"}
_DIGITS |= {"HR": "11", "HU": "8", "IT": "11", "LU": "8", "LV": "11", "MT": "8", "PL": "10"}
_DIGITS |= {"PT": "9", "RO": "2,10", "SI": "8", "SK": "10"}
_FORMS = {country: rf"[0-9]{{{count}}}" for country, count in _DIGITS.items()}
_FORMS |= {
    "AT": r"U[0-9]{8}",
    "BE": r"[01][0-9]{9}",
    "CY": r"[0-9]{8}[A-Z]",
    "ES": r"[A-Z0-9][0-9]{7}[A-Z0-9]",
    "FR": r"[A-HJ-NP-Z0-9]{2}[0-9]{9}",
    "IE": r"[0-9][A-Z0-9+*][0-9]{5}[A-Z]{1,2}",
    "LT": r"(?:[0-9]{9}|[0-9]{12})",
    "NL": r"[A-Z0-9+*]{10}[0-9]{2}",
    "SE": r"[0-9]{10}01",
}
_COMPILED = {country: re.compile(form) for country, form in _FORMS.items()}


def is_well_formed(vat_id: str) -> bool:
    """Whether the number has the form of its country; spaces, dots and hyphens do not count."""
    plain = re.sub(r"[ .-]", "", vat_id).upper()
    form = _COMPILED.get(plain[:2])
    return bool(form and form.fullmatch(plain[2:]))
