import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from hotswap.lib.errors import InvalidInputError
from hotswap.lib.sealing import SealBrokenError, open_sealed, public_key_of, seal

OWN = X25519PrivateKey.generate()
CONTEXT = b"instance:installation:3"


def test_only_the_holder_of_the_key_opens_what_was_sealed_to_it():
    sealed = seal(public_key_of(OWN), b"s3cret", CONTEXT)
    assert b"s3cret" not in sealed
    assert open_sealed(OWN, sealed, CONTEXT) == b"s3cret"
    with pytest.raises(SealBrokenError):
        open_sealed(X25519PrivateKey.generate(), sealed, CONTEXT)


def test_the_same_plaintext_never_looks_the_same():
    key = public_key_of(OWN)
    assert seal(key, b"s3cret", CONTEXT) != seal(key, b"s3cret", CONTEXT)


def test_a_seal_does_not_open_in_anothers_place():
    sealed = seal(public_key_of(OWN), b"s3cret", CONTEXT)
    with pytest.raises(SealBrokenError):
        open_sealed(OWN, sealed, b"instance:installation:4")


@pytest.mark.parametrize("position", [0, 1, 20, 33, 40, -1])
def test_an_altered_byte_is_noticed(position):
    sealed = bytearray(seal(public_key_of(OWN), b"s3cret", CONTEXT))
    sealed[position] ^= 1
    with pytest.raises(SealBrokenError):
        open_sealed(OWN, bytes(sealed), CONTEXT)


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + bytes(32), b"\x01" + bytes(64)])
def test_what_is_no_seal_is_refused(sealed):
    with pytest.raises(SealBrokenError):
        open_sealed(OWN, sealed, CONTEXT)


@pytest.mark.parametrize("key", ["", "not base64!", "AAAA", "A" * 43 + "="])
def test_what_is_no_public_key_is_refused(key):
    with pytest.raises(InvalidInputError):
        seal(key, b"s3cret", CONTEXT)
