"""The example plugins: real small products whose versions differ in behaviour."""

from decimal import Decimal

import pytest

from plugins.packing import build_artifact, pack, plugin_files
from plugins.schemas import compile_schema
from tests.plugins.example_plugins import (
    EXAMPLES,
    directories,
    load_example,
    read_example_manifest,
)

BROKEN_AT_IMPORT = EXAMPLES / "invoice-tax" / "1.3.0"
# What needs packages of others is loaded in a jail, by tests/instance/test_real_packages.py.
WORKING = [
    path
    for path in directories()
    if path != BROKEN_AT_IMPORT and not read_example_manifest(path).dependencies.python
]
KEY = {"signing_key": "a key of a test, long enough"}
ALL = pytest.mark.parametrize(
    "directory", directories(), ids=lambda path: "/".join(path.parts[-2:])
)
LOADABLE = pytest.mark.parametrize("directory", WORKING, ids=lambda path: "/".join(path.parts[-2:]))


@ALL
def test_a_directory_is_named_as_its_manifest_says(directory):
    manifest = read_example_manifest(directory)
    assert (manifest.name, manifest.version) == directory.parts[-2:]


@ALL
def test_an_example_packs_into_an_artifact_that_is_accepted(directory):
    checked, data = pack(directory)
    assert checked.manifest.version == directory.name
    assert data == build_artifact(directory)
    assert len(data) < 100_000


@ALL
def test_every_method_has_an_example(directory):
    assert all(method.examples for method in read_example_manifest(directory).methods.values())


@LOADABLE
def test_every_example_of_the_manifest_is_answered_as_it_says(directory):
    loaded = load_example(*directory.parts[-2:])
    for name, method in loaded.manifest.methods.items():
        for example in method.examples:
            answer = loaded.call(
                name, config=example.config, secrets=example.secrets, **example.parameters
            )
            assert compile_schema(method.output_schema).validate(answer) == []
            assert example.result in (None, answer)
            assert not example.expect or compile_schema(example.expect).validate(answer) == []


@LOADABLE
def test_metrics_are_the_declared_ones(directory):
    manifest = read_example_manifest(directory)
    sources = "".join(path.read_text() for path in plugin_files(directory) if path.suffix == ".py")
    assert all(f'metric("{name}"' in sources for name in manifest.metrics)
    assert sources.count("ctx.metric(") == len(manifest.metrics)


def quote(version="1.0.0", config=None, **parameters):
    loaded = load_example("invoice-tax", version)
    parameters = {"buyer_country": "DE", "lines": [{"unit_price": "100"}], **parameters}
    return loaded.call("quote", config=config, **parameters)


@pytest.mark.parametrize(
    ("country", "rate"),
    [("DE", "19"), ("FR", "20"), ("HU", "27"), ("FI", "25.5"), ("RO", "21"), ("GR", "24")],
)
def test_a_consumer_abroad_pays_the_rate_of_the_destination(country, rate):
    answer = quote(buyer_country=country)
    assert answer["lines"][0]["rate"] == rate
    assert answer["tax"] == f"{Decimal(rate):.2f}"


def test_there_are_rates_for_all_27_member_states():
    rates = load_example("invoice-tax", "1.0.0").call("rates")["rates"]
    assert len(rates) == 27
    assert all(15 <= Decimal(rate["standard"]) <= 27 for rate in rates.values())


def test_a_business_abroad_owes_the_tax_itself():
    answer = quote(buyer_country="AT", buyer_vat_id="ATU12345678")
    assert (answer["tax"], answer["treatment"]) == ("0.00", "reverse_charge")
    assert "Article 196" in answer["note"]


@pytest.mark.parametrize("vat_id", ["ATU1234567", "XX123", "FRXX123456789", "IT12345678901"])
def test_a_vat_number_that_cannot_be_right_is_refused(vat_id):
    with pytest.raises(Exception, match="buyer_vat_id"):
        quote(buyer_country="AT", buyer_vat_id=vat_id)


def test_domestic_sales_are_taxed_also_between_businesses():
    assert quote(buyer_vat_id="DE123456789")["treatment"] == "domestic"


def test_below_the_threshold_the_origin_taxes():
    answer = quote(buyer_country="FR", config={"one_stop_shop": False})
    assert (answer["treatment"], answer["tax"]) == ("origin", "19.00")


def test_an_export_is_not_taxed():
    assert quote(buyer_country="US")["treatment"] == "export"


def test_a_category_that_a_country_does_not_have_is_refused():
    with pytest.raises(Exception, match="line 1: this country has no reduced rate"):
        quote(buyer_country="DK", lines=[{"unit_price": "1", "category": "reduced"}])


def test_rounding_per_line_and_per_invoice_differ_by_cents():
    lines = [{"unit_price": "0.13"}] * 3
    assert quote(lines=lines, rounding="line")["tax"] == "0.06"
    assert quote(lines=lines, rounding="invoice")["tax"] == "0.07"


def test_the_two_good_versions_round_differently_and_say_which_table_they_use():
    old = quote("1.0.0", buyer_country="AT", lines=[{"unit_price": "0.125"}])
    new = quote("1.1.0", buyer_country="AT", lines=[{"unit_price": "0.125"}])
    assert (old["net"], new["net"]) == ("0.13", "0.12")
    assert (old["rate_table"], new["rate_table"]) == ("2025-08-01", "2026-01-01")


def test_version_1_1_0_sums_up_per_rate():
    lines = [{"unit_price": "1", "category": name} for name in ("zero", "reduced", "reduced")]
    breakdown = quote("1.1.0", buyer_country="AT", lines=lines)["breakdown"]
    assert breakdown[0] == {"rate": "13", "net": "2.00", "tax": "0.26"}
    assert breakdown[1]["rate"] == "0"


def test_a_currency_has_its_own_smallest_unit():
    assert quote("1.1.0", currency="JPY", lines=[{"unit_price": "55"}])["tax"] == "10"
    assert quote("1.1.0", currency="KWD", lines=[{"unit_price": "1.2345"}])["net"] == "1.234"


def test_version_1_2_0_fails_three_of_ten_different_calls_and_always_the_same():
    loaded = load_example("invoice-tax", "1.2.0")

    def fails(amount):
        try:
            loaded.call("quote", buyer_country="DE", lines=[{"unit_price": f"{amount}.00"}])
        except IndexError:
            return True
        return False

    first = [fails(amount) for amount in range(2000)]
    assert 0.25 < sum(first) / len(first) < 0.35
    assert first == [fails(amount) for amount in range(2000)]


def test_version_1_3_0_does_not_import():
    with pytest.raises(ModuleNotFoundError, match="regional_rates"):
        load_example("invoice-tax", "1.3.0")


def sign(version="1.0.0", payload="{}", timestamp=1000, secrets=KEY, config=None):
    loaded = load_example("webhook-signer", version)
    return loaded.call("sign", payload=payload, timestamp=timestamp, secrets=secrets, config=config)


def verify(signature, version="1.0.0", payload="{}", now=1000, secrets=KEY, config=None):
    loaded = load_example("webhook-signer", version)
    answer = loaded.call(
        "verify", payload=payload, signature=signature, now=now, secrets=secrets, config=config
    )
    assert answer["valid"] == (answer["reason"] == "ok")
    return answer["reason"]


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_what_was_signed_is_verified(version):
    signature = sign(version)["signature"]
    assert verify(signature, version) == "ok"
    assert verify(signature, version, payload="{ }") == "mismatch"
    assert verify(signature, version, now=1301) == "expired"
    assert verify(signature, version, now=699) == "expired"
    assert verify(signature, version, now=1301, config={"tolerance_seconds": 400}) == "ok"
    assert verify(signature.replace("t=1000", "t=1001"), version) == "mismatch"


@pytest.mark.parametrize("text", ["", "nonsense", "v1=00", "t=abc,v1=00", "t=²,v1=00", "t="])
def test_a_header_that_is_none_is_malformed(text):
    assert verify(text) == "malformed"


def test_a_rotated_key_still_verifies_until_it_is_removed():
    signature = sign()["signature"]
    rotated = {"signing_key": "the next key, also long enough"}
    assert verify(signature, secrets={**rotated, "previous_key": KEY["signing_key"]}) == "ok"
    assert verify(signature, secrets=rotated) == "unknown_key"


@pytest.mark.parametrize("secrets", [{}, {"signing_key": "short"}])
def test_without_a_proper_key_nothing_is_signed(secrets):
    with pytest.raises(Exception, match="signing_key"):
        sign(secrets=secrets)


def test_version_1_1_0_signs_twice_and_the_older_version_understands_it():
    answer = sign("1.1.0")
    assert answer["algorithms"] == ["sha256", "sha512"]
    assert verify(answer["signature"], "1.0.0") == "ok"


def test_a_right_weak_digest_does_not_save_a_wrong_strong_one():
    signature = sign("1.1.0")["signature"]
    damaged = signature[:-1] + ("0" if signature[-1] != "0" else "1")
    assert verify(damaged, "1.1.0") == "mismatch"


def test_an_algorithm_that_a_tenant_does_not_accept_is_refused():
    signature = sign("1.0.0")["signature"]
    assert verify(signature, "1.1.0", config={"algorithms": ["sha512"]}) == "algorithm_refused"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Die Lieferung kommt am Montag, weil der Fahrer heute krank ist."),
        ("en", "The delivery arrives on Monday because the driver is ill today."),
        ("es", "La entrega llega el lunes porque el conductor está enfermo hoy."),
        ("fr", "La livraison arrive lundi parce que le chauffeur est malade aujourd'hui."),
        ("it", "La consegna arriva lunedì perché oggi l'autista è malato."),
        ("nl", "De levering komt maandag omdat de chauffeur vandaag ziek is."),
        ("pt", "Não é possível pagar a fatura em dinheiro, mas pode ser paga na loja."),
        ("sv", "Leveransen kommer på måndag eftersom chauffören är sjuk i dag."),
    ],
)
def test_the_language_of_a_sentence_is_guessed(language, text):
    answer = load_example("text-insights", "1.0.0").call("language", text=text)
    assert answer["language"] == language


def test_hard_texts_score_worse_than_easy_ones():
    loaded = load_example("text-insights", "1.0.0")
    easy = loaded.call("analyse", text="The cat sat. The dog ran. We had fun.")["readability"]
    hard = loaded.call(
        "analyse",
        text="Notwithstanding considerable organisational heterogeneity, institutional "
        "accountability necessitates comprehensive documentation of administrative procedures.",
    )["readability"]
    assert easy["flesch_reading_ease"] > 90
    assert hard["flesch_reading_ease"] < 30
    assert easy["flesch_kincaid_grade"] < hard["flesch_kincaid_grade"]


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
@pytest.mark.parametrize("text", ["", "...", "1 2 3", "\u4f60\u597d", "a" * 10_000, "x. " * 5_000])
def test_any_text_is_analysed(version, text):
    answer = load_example("text-insights", version).call("analyse", text=text)
    assert answer["readability"]["words"] >= 0


def test_the_versions_find_keywords_in_different_ways():
    text = "The tax office answered. The tax office wrote about the bakery. The bakery pays tax."
    old = load_example("text-insights", "1.0.0").call("analyse", text=text)
    new = load_example("text-insights", "1.1.0").call("analyse", text=text)
    assert (old["engine"], new["engine"]) == ("rake", "textrank")
    assert new["keywords"][0]["keyword"] == "tax"
    assert old["keywords"] != new["keywords"]


def test_packing_leaves_out_what_is_not_the_plugins(tmp_path):
    (tmp_path / "hotswap.toml").write_text("")
    for name in (".git/config", "__pycache__/x.pyc", ".env", "dist/old.zip", "pkg/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "passwords").symlink_to("/etc/passwd")
    names = [path.relative_to(tmp_path).as_posix() for path in plugin_files(tmp_path)]
    assert names == ["hotswap.toml", "pkg/__init__.py"]
