"""The header with which one instance hands a call to another."""

import time
from dataclasses import replace

import pytest

from deployments.instance.database import Peer
from deployments.instance.identity import open_identity
from deployments.instance.passing import PassedCall, Passing, PassRefusedError, digest_of, new_nonce

PATH = "/api/v1/tenants/acme/plugins/echo/invoke"
BODY = b'{"method":"echo","parameters":{}}'


@pytest.fixture
def pair(tmp_path):
    """Two instances that know each other, and one that only knows them."""
    identities = [open_identity(name, tmp_path / name) for name in ("i-1", "i-2", "i-3")]
    peers = [
        Peer(each.id, each.name, "unix:/x", each.public_key, True, frozenset({"v1"}))
        for each in identities
    ]
    ends = [Passing(lambda each=each: each, lambda: peers[:2]) for each in identities]
    return identities, peers, ends


def make(pair, **fields):
    identities, _, _ = pair
    call = PassedCall(
        sender=identities[0].id,
        receiver=identities[1].id,
        expires_at=time.time() + 30,
        nonce=new_nonce(),
        body_digest=digest_of(BODY),
        path=PATH,
        principal="key k",
        tenant_id="acme",
        plugin_id="p",
        version_id="v1",
        generation=7,
        seconds=3.5,
    )
    return replace(call, **fields)


def test_a_call_arrives_as_it_was_described(pair):
    _, peers, (sender, receiver, _) = pair
    call = make(pair)
    assert receiver.verify(sender.sign(call, peers[1]), PATH, BODY) == call


def test_a_header_is_good_once(pair):
    _, peers, (sender, receiver, _) = pair
    header = sender.sign(make(pair), peers[1])
    receiver.verify(header, PATH, BODY)
    with pytest.raises(PassRefusedError, match="used before"):
        receiver.verify(header, PATH, BODY)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"expires_at": 0.0}, "expired"),
        ({"expires_at": 4e9}, "expired"),
        ({"body_digest": "x"}, "another call"),
        ({"path": "/other"}, "another call"),
        ({"receiver": "i-9"}, "not from a live peer"),
        ({"sender": "i-9"}, "not from a live peer"),
    ],
)
def test_a_header_for_something_else_is_refused(pair, fields, reason):
    _, peers, (sender, receiver, _) = pair
    header = sender.sign(make(pair, **fields), peers[1])
    with pytest.raises(PassRefusedError, match=reason):
        receiver.verify(header, PATH, BODY)


def test_nobody_else_can_make_the_header(pair):
    _, peers, (_, receiver, stranger) = pair
    with pytest.raises(PassRefusedError, match="signature"):
        receiver.verify(stranger.sign(make(pair), peers[1]), PATH, BODY)


def test_the_header_does_not_work_in_the_other_direction(pair):
    identities, peers, (sender, receiver, _) = pair
    back = make(pair, sender=identities[1].id, receiver=identities[0].id)
    forged = sender.sign(replace(back, sender=back.receiver, receiver=back.sender), peers[1])
    content = receiver.sign(back, peers[0]).partition(b".")[0]
    with pytest.raises(PassRefusedError):
        sender.verify(content + b"." + forged.partition(b".")[2], PATH, BODY)


@pytest.mark.parametrize("header", [b"", b"x", b"e30=.00", b"!!!.00", b"W10=.00"])
def test_noise_is_refused(pair, header):
    with pytest.raises(PassRefusedError):
        pair[2][1].verify(header, PATH, BODY)


def test_a_peer_without_a_usable_key_is_refused(pair):
    identities, peers, (sender, *_) = pair
    with pytest.raises(PassRefusedError, match="cannot be used"):
        sender.sign(make(pair), replace(peers[1], public_key="AAAA"))
    assert {peer.id for peer in sender.peers_with("v1")} == {identities[1].id}
    assert sender.peers_with("v2") == []
