import os
import signal

import pytest
import redis

from hotswap.embedded.errors import EmbeddedError
from hotswap.embedded.valkey import Valkey


@pytest.fixture
def make_valkey(tmp_path):
    made = []

    def make(**options) -> Valkey:
        made.append(
            Valkey(tmp_path / "a b", tmp_path / "run it", tmp_path / "valkey.log", **options)
        )
        return made[-1]

    yield make
    for valkey in made:
        valkey.stop()


def write(valkey: Valkey) -> None:
    with redis.Redis.from_url(valkey.url) as client:
        client.set("key", "value")


def read(valkey: Valkey) -> bytes | None:
    with redis.Redis.from_url(valkey.url) as client:
        return client.get("key")


@pytest.mark.parametrize(("persistent", "kept"), [(True, b"value"), (False, None)])
def test_it_keeps_what_it_is_told_over_a_restart_only_when_asked_to(make_valkey, persistent, kept):
    valkey = make_valkey(persistent=persistent)
    valkey.start()
    write(valkey)
    valkey.stop()
    valkey.start()
    assert read(valkey) == kept


def test_it_starts_again_after_kill_9(make_valkey):
    valkey = make_valkey()
    valkey.start()
    os.kill(valkey.process.pid, signal.SIGKILL)
    valkey.process.wait()
    assert not valkey.answers()
    valkey.start()
    assert valkey.answers()


def test_its_url_needs_no_quoting_even_where_its_path_has_spaces(make_valkey):
    assert " " not in make_valkey().url


def test_a_start_that_fails_shows_the_end_of_the_log(make_valkey):
    valkey = make_valkey()
    valkey.socket = valkey.socket.with_name("longer than a socket may be" * 5)
    with pytest.raises(EmbeddedError, match="Its log"):
        valkey.start()
