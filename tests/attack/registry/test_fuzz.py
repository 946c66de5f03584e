"""Good artifacts, damaged at random: refused or taken, never an error of ours."""

import random
import re
import tracemalloc
from pathlib import Path

import pytest

from plugins.artifact import ArtifactError, inspect_artifact
from plugins.models import PluginVersion
from tests.artifacts import Member, manifest_text, plugin_zip, wheel_bytes, with_member, zip_bytes

pytestmark = pytest.mark.django_db
ERRORS = (Path(__file__).parents[3] / "docs" / "errors.md").read_text()
DOCUMENTED = set(re.findall(r"[a-z][a-z0-9_]+", ERRORS))
RICH = manifest_text(
    permissions={"egress": [{"host": "api.example.com", "methods": ["GET"], "ports": [443]}]},
    secrets={"token": {"host": "api.example.com", "header": "Authorization"}},
    config={"schema": {"type": "object", "properties": {"rate": {"type": "number"}}}},
    resources={"memory_mb": 128},
)
GOOD = {
    "a zip": plugin_zip({"lib/words.txt": "word " * 50}),
    "a wheel": wheel_bytes(),
    "a zip without compression": with_member(Member(b"lib/", mode=0o040755)),
    "a long manifest": zip_bytes({"hotswap.toml": RICH, "echo.py": "x = 1"}, compression=0),
}
NUMBERS = (
    b"\0\0",
    b"\xff\xff",
    b"\xff\xff\xff\xff",
    b"\xfe\xff\xff\xff",
    b"\1\0\0\0",
    b"\0\0\0\x80",
)
WORDS = (b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\7\x08", b"../", b"\0", b'"""', b"[[", b"\xff", b"=")


def flip(chance, data):
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def overwrite(chance, data):
    place, word = chance.randrange(len(data)), chance.choice(NUMBERS + WORDS)
    data[place : place + len(word)] = word


def insert(chance, data):
    place = chance.randrange(len(data))
    data[place:place] = chance.choice(NUMBERS + WORDS)


def cut(chance, data):
    place = chance.randrange(len(data))
    del data[place : place + chance.randrange(1, 40)]


def repeat(chance, data):
    place = chance.randrange(len(data))
    data[place:place] = data[place : place + chance.randrange(1, 200)]


def damaged(seed, good):
    """The artifact with one to four damages; the same for the same seed."""
    chance, data = random.Random(seed), bytearray(good)
    for _ in range(chance.choice((1, 1, 2, 4))):
        chance.choice((flip, flip, overwrite, insert, cut, repeat))(chance, data)
    return bytes(data)


@pytest.mark.parametrize("good", GOOD.values(), ids=GOOD)
def test_a_damaged_upload_is_taken_whole_or_leaves_nothing(echo, upload, remains, good):
    for seed in range(40):
        before = remains()
        answer = upload(damaged(seed, good))

        assert answer.status_code in (201, 400, 409), (seed, answer.content)
        if answer.status_code == 201:
            PluginVersion.objects.all().delete()
        else:
            error = answer.json()["error"]
            assert error["code"] in DOCUMENTED and error["message"].isprintable(), (seed, error)
            assert remains() == before, seed


@pytest.mark.parametrize("good", GOOD.values(), ids=GOOD)
def test_reading_a_damaged_artifact_raises_refusals_alone_and_stays_small(tmp_path, good):
    path = tmp_path / "damaged.zip"
    tracemalloc.start()
    try:
        for seed in range(1_000, 1_600):
            path.write_bytes(damaged(seed, good))
            try:
                contents = inspect_artifact(path)
            except ArtifactError as error:
                assert error.code in DOCUMENTED, seed
                assert error.message.isprintable(), seed
            else:
                assert contents.manifest_text is not None, seed
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 8 << 20


@pytest.mark.parametrize("good", GOOD.values(), ids=GOOD)
def test_an_undamaged_artifact_is_taken(echo, upload, good):
    """The tests above begin with something that is good."""
    assert upload(good).status_code == 201
