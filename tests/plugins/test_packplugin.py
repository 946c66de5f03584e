"""``manage.py packplugin``."""

import hashlib

import pytest
from django.core.management import CommandError, call_command

from plugins.artifact_check import read_artifact
from tests.artifacts import SOURCE, manifest_text
from tests.plugins.example_plugins import EXAMPLES


def test_it_writes_an_artifact_and_prints_its_digest(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    call_command("packplugin", str(EXAMPLES / "invoice-tax" / "1.0.0"))
    artifact = tmp_path / "invoice-tax-1.0.0.zip"
    assert hashlib.sha256(artifact.read_bytes()).hexdigest() in capsys.readouterr().out
    assert read_artifact(artifact).manifest.name == "invoice-tax"


def test_it_says_everything_that_is_wrong_and_writes_nothing(tmp_path):
    (tmp_path / "echo.py").write_text(SOURCE)
    (tmp_path / "hotswap.toml").write_text(manifest_text(version="1", summary=None))
    with pytest.raises(CommandError) as caught:
        call_command("packplugin", str(tmp_path), output=tmp_path / "out.zip")
    assert "version" in str(caught.value)
    assert "summary: is required" in str(caught.value)
    assert not (tmp_path / "out.zip").exists()


def test_a_directory_without_a_manifest_is_no_plugin(tmp_path):
    with pytest.raises(CommandError, match=r"no hotswap\.toml"):
        call_command("packplugin", str(tmp_path))
