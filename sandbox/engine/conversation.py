"""A single run whose program may ask its host for things: the only way out of such a jail.

Questions and answers are frames on the socket that the program said hello on. A question is bounded
by ``QUESTION_BYTES``, an answer by whoever gives it; there is one at a time.
"""

import os
import select
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sandbox.engine.jail import JailSettings
from sandbox.engine.launch import Jailed
from sandbox.engine.oneshot import CHUNK_BYTES, OneShot, OneShotResult, run_blocking, wait_exit
from sandbox.engine.result import OutcomeCode
from sandbox.engine.spec import Limits
from sandbox.engine.wire import FrameReader, WireError, decode_message, encode_frame

QUESTION_BYTES = 16 << 10
Answer = Callable[[dict[str, Any]], bytes]


def converse(
    program: Path,
    arguments: Sequence[str] = (),
    *,
    answer: Answer,
    read_only: Mapping[str, Path],
    limits: Limits,
    jail: JailSettings,
) -> OneShotResult:
    """Run ``program`` as ``run_once_blocking`` does, and answer what it asks.

    ``answer`` gets a question, an object from inside a jail and so hostile, and returns the body of
    the answer. Whatever it raises ends the jail and is raised here. Time spent in it counts.
    """
    work = OneShot(program, tuple(arguments), read_only, None, limits)
    return run_blocking(work, jail, partial(attend, answer))


def attend(
    answer: Answer,
    jailed: Jailed,
    limits: Limits,
    output: int,
    wire: socket.socket,
    began: float,
) -> tuple[OutcomeCode | None, str, bytes]:
    """Read what it prints and answer what it asks until it closes its output."""
    printed, reader = bytearray(), FrameReader(QUESTION_BYTES)
    sources = [output, wire.fileno()]
    while True:
        left = began + limits.wall_seconds - time.monotonic()
        ready = select.select(sources, [], [], left)[0] if left > 0 else []
        if not ready:
            jailed.kill()
            return OutcomeCode.TIMEOUT, f"it ran longer than {limits.wall_seconds:g} s", b""
        try:
            if output in ready and not take(output, printed, limits):
                return wait_exit(jailed, limits, began, bytes(printed))
            if wire.fileno() in ready and not hear(wire, reader, answer, left):
                sources.remove(wire.fileno())
        except Cut as cut:
            jailed.kill()
            return cut.code, cut.message, b""


class Cut(Exception):  # noqa: N818 - it ends a run, it is no fault of ours
    """The program is ended for this."""

    def __init__(self, code: OutcomeCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def take(output: int, printed: bytearray, limits: Limits) -> bool:
    """Keep what it has printed; False at its end."""
    data = os.read(output, CHUNK_BYTES)
    printed += data
    if len(printed) > limits.output_bytes:
        words = f"it printed more than {limits.output_bytes} bytes"
        raise Cut(OutcomeCode.OUTPUT_LIMIT, words)
    return bool(data)


def hear(wire: socket.socket, reader: FrameReader, answer: Answer, seconds: float) -> bool:
    """Answer the questions that have arrived; False when no more can come."""
    wire.settimeout(seconds)
    try:
        data = wire.recv(QUESTION_BYTES)
        questions = [decode_message(frame) for frame in reader.feed(data)]
    except (WireError, OSError) as error:
        raise Cut(OutcomeCode.PROTOCOL_ERROR, f"it broke off its questions: {error}") from error
    for question in questions:
        reply = encode_frame(answer(question))
        try:
            wire.sendall(reply)
        except OSError as error:
            raise Cut(OutcomeCode.PROTOCOL_ERROR, f"it did not listen: {error}") from error
    return bool(data)
