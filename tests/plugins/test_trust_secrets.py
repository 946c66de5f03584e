"""Secrets that were left in an artifact are found, and nothing else is taken for one."""

import re
from pathlib import Path
from re._parser import SubPattern, parse

import pytest

from plugins.packing import plugin_files
from plugins.trust import secret_scan
from plugins.trust.secret_scan import (
    MAX_FILE_BYTES,
    MAX_FINDINGS,
    SCAN_INCOMPLETE,
    SECRET_FOUND,
    SecretScan,
    find_secrets,
)

# Written in two parts, so that whoever searches this repository for secrets finds none.
BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7"
RANDOM = "q8Zr3T" + "vW1kXb7LmN2pYc9Ds4Fg6Hj0Ka5"
JWT = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
    + "eyJzdWIiOiI0MiIsIm5hbWUiOiJBZGEifQ."
    + "q8Zr3TvW1kXb7LmN2pYc9Ds4Fg6Hj0Ka5"
)
SECRETS = {
    "a private key": [
        f"-----BEGIN {'RSA '}PRIVATE KEY-----\n{BODY}\n",
        f"-----BEGIN {''}PRIVATE KEY-----\n{BODY}\n",
        f"-----BEGIN {'OPENSSH '}PRIVATE KEY-----\n{BODY}\n",
        f"-----BEGIN {'ENCRYPTED '}PRIVATE KEY-----\r\n{BODY}\r\n",
        f"-----BEGIN {'PGP '}PRIVATE KEY BLOCK-----\nVersion: 1\n\n{BODY}\n",
        f'KEY = "-----BEGIN {"EC "}PRIVATE KEY-----\\n{BODY}\\n"',
        f'KEY = (\n    "-----BEGIN {"EC "}PRIVATE KEY-----"\n    "{BODY}"\n)',
    ],
    "an AWS access key": ["AKIA" + "QYLPMN5HHHFPZAM2", "key: ASIA" + "QYLPMN5HHHFPZAM2"],
    "an AWS secret key": [f'aws_secret_access_key = "{RANDOM}Zx8Uw3Q"'],
    "a GitHub token": ["ghp_" + RANDOM + "abc", "github_pat_" + RANDOM + "_" + RANDOM],
    "a GitLab token": ["glpat-" + RANDOM[:20]],
    "a Slack token": ["xoxb-" + "2384029384-" + RANDOM[:24]],
    "a Slack webhook": ["https://hooks.slack.com/services/T024BE7LD/B024BE7LD/" + RANDOM[:24]],
    "a Stripe key": ["sk_live_" + RANDOM[:24]],
    "a Google API key": ["AIza" + RANDOM + "Bq"],
    "an npm token": ["npm_" + RANDOM + "abc"],
    "a PyPI token": ["pypi-AgEIcHlwaS5vcmc" + RANDOM * 2],
    "a HotSwap API key": ["hs_" + "q8Zr3TvW_" + RANDOM + RANDOM[:10]],
    "a JSON Web Token": [JWT],
    "a password in an address": ["postgres://app:" + "s3cR7tPw@db.internal/app"],
    "a password": ['DB_PASSWORD = "' + "hunt3r-Xq9" + '"', "{'password': '" + "tR0ub4dor&3" + "'}"],
    "a secret": [
        f'API_KEY = "{RANDOM[:24]}"',
        f"client_secret: '{RANDOM[:24]}'",
        f'token: str = "{RANDOM[:24]}"',
        f'{{"auth_token": "{RANDOM[:24]}"}}',
    ],
}
CASES = [(kind, text) for kind, texts in SECRETS.items() for text in texts]


PARTS = (BODY[:16], RANDOM[:10], RANDOM[-10:], JWT[:10], "hunt3r", "tR0ub4dor", "s3cR7t", "PZAM2")


def kinds(text):
    content = text if isinstance(text, bytes) else text.encode()
    return [finding.kind for finding in find_secrets("file.py", content)]


@pytest.mark.parametrize(("kind", "text"), CASES, ids=[kind for kind, _ in CASES])
def test_a_secret_is_found_with_its_line(kind, text):
    found = list(find_secrets("config.py", f"# one\n# two\n{text}\n".encode()))

    assert kind in [finding.kind for finding in found]
    line = 4 if text.startswith("KEY = (") else 3
    assert {(each.path, each.line) for each in found} == {("config.py", line)}


@pytest.mark.parametrize(("kind", "text"), CASES, ids=[kind for kind, _ in CASES])
def test_no_warning_repeats_the_secret(kind, text):
    scan = SecretScan()
    scan.add("config.py", text.encode())

    for warning in scan.warnings():
        assert warning["code"] == SECRET_FOUND
        assert re.sub(r"^Line \d+ looks like ", "", warning["message"]).startswith(kind)
        assert not any(part in warning["message"] for part in PARTS)


HARMLESS = [
    'password = "correct horse battery staple"',
    'password = "changeme123"',
    'password = "your-password-1"',
    'password = os.environ["DB_PASSWORD_2"]',
    'password = "${DB_PASSWORD_1}"',
    'password = "{{ password1 }}"',
    "PASSWORD_FIELD_1 = 'password_field_1'",
    'secret = "tenant_billing_credentials"',
    'token = "https://login.acme-1.com/Oauth2/token"',
    'token_path = "/var/run/secrets/Tokens/0a1b2c3d4e"',
    'API_KEY_HEADER = "X-Api-Key"',
    "AKIAIOSFODNN7" + "EXAMPLE",
    "sk_test_" + RANDOM[:24],
    "ghp_short",
    "xghp_" + RANDOM + "abc",
    "-----BEGIN PUBLIC KEY-----\n" + BODY,
    'if line.startswith("-----BEGIN PRIVATE KEY-----"):',
    "eyJhbGciOiJIUzI1NiJ9",
    "eyJ" + "0123456789abc.eyJ0123456789abc." + RANDOM,
    "https://user:password@host/path",
    "https://example.com:8080/@scope/name",
    "sha256:" + "9f86d081884c7d659a2feaa0c55ad015" * 2,
    'digest = "9f86d081884c7d659a2feaa0c55ad0153b0d"',
    'name = "q8Zr3TvW1kXb7LmN2pYc9Ds4"',
    "secrets = {}",
    "def get_token(self, token: str = '') -> str:",
    'assert token == "abcdefgh"',
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_is_left_alone(text):
    assert kinds(text) == []


EXAMPLES = sorted(path.parent for path in Path("examples").rglob("hotswap.toml"))


@pytest.mark.parametrize("directory", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_hold_no_secret(directory):
    scan = SecretScan()
    for path in plugin_files(directory):
        scan.add(path.name, path.read_bytes())

    assert scan.warnings() == []


def test_our_own_sources_hold_no_secret():
    """Thousands of lines about passwords, keys and tokens."""
    apps = ("plugins", "tenants", "hotswap", "deployments", "observability", "sandbox")
    found = [
        (str(path), finding.line, finding.kind)
        for app in apps
        for path in Path(app).rglob("*.py")
        for finding in find_secrets(str(path), path.read_bytes())
    ]

    assert found == []


def test_binary_files_and_records_of_digests_are_passed_over():
    text = f'password = "{"hunt3r-Xq9"}"'.encode()

    assert list(find_secrets("data.bin", b"\0" + text)) == []
    assert list(find_secrets("echo-1.0.0.dist-info/RECORD", text)) == []


def test_what_is_read_is_bounded_and_said():
    scan = SecretScan()
    scan.add("big.txt", b"\n" * MAX_FILE_BYTES + f'token = "{RANDOM}"'.encode())

    (warning,) = scan.warnings()
    assert (warning["code"], warning["path"]) == (SCAN_INCOMPLETE, "big.txt")


def test_warnings_are_bounded_and_it_is_said():
    scan = SecretScan()
    for number in range(3):
        scan.add(f"{number}.py", f'token = "{RANDOM}"\n'.encode() * 50)

    codes = [warning["code"] for warning in scan.warnings()]
    assert codes == [SECRET_FOUND] * MAX_FINDINGS + [SCAN_INCOMPLETE]


def repeats(parsed):
    """The most times that each part of a pattern may repeat, wherever it stands."""
    for operation, argument in parsed:
        if "REPEAT" in str(operation):
            yield int(argument[1])
        nested = argument if isinstance(argument, list | tuple) else [argument]
        flat = [each for item in nested for each in (item if isinstance(item, list) else [item])]
        for part in flat:
            if isinstance(part, SubPattern):
                yield from repeats(part)


@pytest.mark.parametrize("rule", secret_scan._RULES, ids=lambda rule: rule.kind)
def test_no_pattern_repeats_without_a_bound(rule):
    """So no text takes more time than its length times a constant."""
    found = list(repeats(parse(rule.pattern.pattern)))

    assert found or rule.kind
    assert max(found) <= 4000


HOSTILE = (b"secret", b"-----BEGIN ", b"eyJaaaaaaaa.", b"aa://a:", b'token__="aaaaaaa', b"xoxb-")


@pytest.mark.parametrize("piece", HOSTILE)
def test_beginnings_alone_are_no_secrets(piece):
    assert kinds(piece * 20_000) == []


def test_a_line_full_of_secrets_is_left_at_its_first(monkeypatch):
    """Looking at each of them would take minutes."""
    looked, believe = [], secret_scan._is_believed

    def look(rule, match):
        looked.append(match)
        return believe(rule, match)

    monkeypatch.setattr(secret_scan, "_is_believed", look)
    line = b"password = 'aB3dE6gH9kL2' " * 5_000
    found = list(secret_scan.find_secrets("a.py", b"\n".join([line, b"x = 1", line])))

    assert [finding.line for finding in found] == [1, 3]
    assert len(looked) <= 2 * len(secret_scan._RULES)
