"""Strict decoding, within bounds, of whatever comes out of a jail."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.engine.logs import harmless, redact
from sandbox.engine.spec import Call
from sandbox.engine.wire import (
    FrameReader,
    WireError,
    call_frame,
    decode_message,
    encode_frame,
    new_nonce,
    result_of,
)

NONCE = b"0123456789abcdef0123456789abcdef"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def answer(result: bytes) -> bytes:
    return b'{"nonce":"' + NONCE + b'","result":' + result + b"}"


@given(JSON)
def test_a_good_answer_is_taken_apart_without_a_change(value):
    result = orjson.dumps(value)
    assert result_of(answer(result)) == (NONCE, result)


@given(st.binary(max_size=60))
def test_a_result_is_json_by_itself_or_refused(junk: bytes):
    try:
        taken = result_of(answer(junk))
    except WireError:
        return
    assert taken is not None
    json.loads(taken[1])


@pytest.mark.parametrize(
    "result", [b"", b"NaN", b"Infinity", b'1,"code":2', b"1}{", b'"\\ud800"', b"[" * 2000, b"\xff"]
)
def test_a_result_that_is_not_json_is_refused(result: bytes):
    with pytest.raises(WireError):
        result_of(answer(result))


@given(st.lists(st.binary(max_size=50), max_size=8), st.integers(1, 20))
def test_frames_arrive_whole_however_they_are_cut(bodies: list[bytes], size: int):
    stream = b"".join(map(encode_frame, bodies))
    reader = FrameReader(100)
    got = [
        frame for at in range(0, len(stream), size) for frame in reader.feed(stream[at : at + size])
    ]
    assert got == bodies


def test_a_length_over_the_limit_is_refused_before_the_body_comes():
    with pytest.raises(WireError, match="4294967295 bytes where 100"):
        FrameReader(100).feed(b"\xff\xff\xff\xff")


@pytest.mark.parametrize("frame", [b"", b"[]", b"1", b"{", b'{"a":NaN}', b"\xff"])
def test_a_message_is_a_json_object_or_refused(frame: bytes):
    with pytest.raises(WireError):
        decode_message(frame)


def test_a_calls_frame_carries_parameters_as_they_are():
    call = Call("charge", b'{"amount":1.10}', 'id "1"', 12.5, "00-ab")
    body = json.loads(call_frame(NONCE, call, 11.5)[4:])
    assert body == {
        "nonce": NONCE.decode(),
        "call": ["charge", 'id "1"', 11.5, "00-ab"],
        "parameters": {"amount": 1.10},
    }


def test_nonces_differ():
    assert len({new_nonce() for _ in range(1000)}) == 1000


@given(st.text())
def test_a_harmless_text_has_no_control_characters_but_line_ends_and_tabs(text: str):
    assert not [
        c for c in harmless(text) if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160
    ]


def test_redaction_leaves_short_values_alone():
    assert redact("key=abcdef, no=no", ["abcdef", "no"]) == "key=***, no=no"
