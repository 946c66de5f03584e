"""Sockets, ports and the home directory."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hotswap.embedded.errors import EmbeddedError
from hotswap.embedded.home import Home
from hotswap.embedded.leftovers import end_leftovers, record_children
from hotswap.embedded.ports import EPHEMERAL_START, any_free_port, first_free_port, is_free
from hotswap.embedded.sockets import (
    LONGEST_SOCKET_NAME,
    LONGEST_SOCKET_PATH,
    private_directory,
    short_path,
    socket_directory,
)


@pytest.fixture
def home(tmp_path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


@pytest.mark.parametrize("name", ["with spaces", "x" * 120, "ümlaut"])
def test_a_path_that_no_socket_can_have_is_replaced_by_a_short_one(tmp_path, name):
    short = short_path(tmp_path / name)
    assert len(str(short)) + LONGEST_SOCKET_NAME <= LONGEST_SOCKET_PATH
    assert short == short_path(tmp_path / name)
    assert short != short_path(tmp_path / name / "other")


def test_a_short_plain_path_stays_where_it_is():
    assert short_path(Path("/srv/hotswap/run")) == Path("/srv/hotswap/run")


def test_a_socket_directory_is_private(tmp_path):
    directory = socket_directory(tmp_path / "with spaces")
    assert directory.stat().st_mode & 0o777 == 0o700
    directory.rmdir()


def test_a_link_in_place_of_a_private_directory_is_refused(tmp_path):
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(EmbeddedError, match="another user or is no directory"):
        private_directory(tmp_path / "link")


def test_a_taken_port_is_passed_over():
    port = any_free_port()
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
        assert first_free_port(port) > port


def test_free_ports_lie_below_those_of_outgoing_connections():
    assert any_free_port() < EPHEMERAL_START


def test_a_port_given_away_already_is_not_given_again():
    port = first_free_port(20_000)
    assert first_free_port(20_000, {port}) != port


def test_a_home_is_for_its_owner_alone(home):
    assert home.path.stat().st_mode & 0o077 == 0
    home.passwords()
    assert home.passwords_file.stat().st_mode & 0o077 == 0


def test_passwords_are_made_once(home):
    assert home.passwords() == home.passwords()
    assert len(set(home.passwords().values())) == len(home.passwords())


def test_a_password_that_somebody_chose_stays(home):
    home.passwords_file.write_text(json.dumps({"ada": "chosen"}))
    assert home.passwords()["ada"] == "chosen"
    assert home.passwords()["bob"]


def test_the_secret_key_is_made_once(home):
    file = Path(home.settings("unix:///x")["HOTSWAP_SECRET_KEY_FILE"])
    first = file.read_text()
    home.settings("unix:///x")
    assert file.read_text() == first


def test_a_second_holder_of_a_home_is_told_who_has_it(home):
    with home.hold(), pytest.raises(EmbeddedError, match=f"process {os.getpid()}"):
        home.hold()


def test_a_home_is_free_again_after_its_holder_is_gone(home):
    home.hold().close()
    home.hold().close()


def test_a_child_that_outlived_its_launcher_is_ended(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    record_children(tmp_path / "children", [child.pid])
    assert end_leftovers(tmp_path / "children") == [child.pid]
    assert child.wait() < 0
    child.stdin.close()


def test_a_number_that_belongs_to_another_program_by_now_is_left_alone(tmp_path):
    (tmp_path / "children").write_text(f"{os.getpid()} 1\n")
    assert end_leftovers(tmp_path / "children") == []
