"""The platform's own keys on disk."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import call_command

from hotswap.lib.errors import UnavailableError
from hotswap.lib.keys import (
    jwt_key,
    key_encryption_key,
    make_keys,
    rotate_jwt_key,
    signing_key,
    signing_public_keys,
)

PRIVATE = ("jwt.pem", "kek", "signing.pem")


def test_keys_are_made_once_and_are_nobody_elses(tmp_path, settings, capsys):
    settings.KEYS_DIR = tmp_path / "keys"
    call_command("makekeys")
    before = {name: (settings.KEYS_DIR / name).read_bytes() for name in PRIVATE}

    call_command("makekeys")

    assert {name: (settings.KEYS_DIR / name).read_bytes() for name in PRIVATE} == before
    assert "all keys are there" in capsys.readouterr().out
    assert {stat.S_IMODE((settings.KEYS_DIR / name).stat().st_mode) for name in PRIVATE} == {0o600}
    assert stat.S_IMODE(settings.KEYS_DIR.stat().st_mode) == 0o700


def test_the_keys_are_what_their_users_expect(tmp_path, settings):
    settings.KEYS_DIR = tmp_path
    make_keys(tmp_path)

    assert len(key_encryption_key()) == 32
    assert (tmp_path / "public" / "jwt" / f"{jwt_key().kid}.pem").exists()
    [public] = signing_public_keys(tmp_path / "public")
    public.verify(signing_key().sign(b"x"), b"x")


def test_the_public_directory_holds_no_private_key(tmp_path):
    make_keys(tmp_path)

    for path in (tmp_path / "public").rglob("*.pem"):
        assert "PRIVATE" not in path.read_text()


def test_processes_that_start_together_agree_on_the_keys(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make_keys, [tmp_path] * 8))

    assert len(list((tmp_path / "public" / "jwt").iterdir())) == 1
    assert {path.name for path in tmp_path.iterdir()} == {*PRIVATE, "public"}


def test_two_public_keys_are_accepted_and_no_more(tmp_path, settings, capsys):
    make_keys(tmp_path)
    kids = [jwt_key(tmp_path).kid, rotate_jwt_key(tmp_path)]
    settings.KEYS_DIR = tmp_path
    call_command("makekeys", "--rotate-jwt")
    kids.append(jwt_key(tmp_path).kid)

    assert {path.stem for path in (tmp_path / "public" / "jwt").iterdir()} == set(kids[1:])
    assert kids[2] in capsys.readouterr().out


def test_a_missing_key_says_how_to_make_it(tmp_path):
    with pytest.raises(UnavailableError, match="makekeys"):
        jwt_key(tmp_path)
