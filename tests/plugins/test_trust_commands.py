"""An author signs at home: no server, no database, no network."""

import json
import socket

import pytest
from django.core.management import CommandError, call_command

from plugins.trust.dsse import parse_envelope
from plugins.trust.keyfiles import key_id, read_public_key
from plugins.trust.signing import describe_artifact
from plugins.trust.statements import verify_version
from tests.artifacts import plugin_zip, wheel_bytes


@pytest.fixture(autouse=True)
def offline():
    """No test here has a database; a socket would be an error."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", None)
        yield


@pytest.fixture
def key(tmp_path, capsys):
    path = tmp_path / "key.pem"
    call_command("makepublisherkey", str(path))
    capsys.readouterr()
    return path


def public_of(key):
    return read_public_key(key.with_suffix(".pub.pem").read_text())


@pytest.mark.parametrize(
    ("name", "content"),
    [("echo.zip", plugin_zip()), ("echo-1.0.0-py3-none-any.whl", wheel_bytes())],
)
def test_an_author_makes_a_key_and_signs(tmp_path, key, capsys, name, content):
    artifact = tmp_path / name
    artifact.write_bytes(content)
    call_command("signplugin", str(artifact), key=key)

    written = tmp_path / f"{name}.dsse.json"
    envelope = parse_envelope(written.read_text())
    verify_version(envelope, public_of(key), describe_artifact(artifact))
    assert capsys.readouterr().out == f"{written}: echo 1.0.0, key {envelope.key_id}\n"


def test_the_key_is_told_by_its_id_and_never_replaced(tmp_path, capsys):
    path = tmp_path / "key.pem"
    call_command("makepublisherkey", str(path))
    assert key_id(public_of(path)) in capsys.readouterr().out
    assert path.stat().st_mode & 0o777 == 0o600

    before = path.read_bytes()
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("makepublisherkey", str(path))
    assert path.read_bytes() == before


def test_a_key_may_have_a_password(tmp_path, capsys):
    path, artifact, password = tmp_path / "key.pem", tmp_path / "echo.zip", tmp_path / "password"
    artifact.write_bytes(plugin_zip())
    password.write_text("correct horse\n")
    call_command("makepublisherkey", str(path), password_file=password)

    with pytest.raises(CommandError, match="password"):
        call_command("signplugin", str(artifact), key=path)
    call_command("signplugin", str(artifact), key=path, password_file=password)
    assert json.loads((tmp_path / "echo.zip.dsse.json").read_text())["signatures"]


@pytest.mark.parametrize("content", [None, "", "  \n"])
def test_a_password_that_is_not_there_is_no_password(tmp_path, content):
    password = tmp_path / "password"
    if content is not None:
        password.write_text(content)

    with pytest.raises(CommandError, match="password"):
        call_command("makepublisherkey", str(tmp_path / "key.pem"), password_file=password)


def test_what_an_upload_would_refuse_is_not_signed(tmp_path, key):
    artifact = tmp_path / "echo.zip"
    artifact.write_bytes(b"no zip")
    with pytest.raises(CommandError, match="zip"):
        call_command("signplugin", str(artifact), key=key)

    with pytest.raises(CommandError, match="cannot be read"):
        call_command("signplugin", str(tmp_path / "nothing.zip"), key=key)
    assert list(tmp_path.glob("*.dsse.json")) == []
