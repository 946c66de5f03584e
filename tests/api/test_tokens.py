"""Access tokens: who they let in and whom they refuse."""

import hmac
import time
from base64 import urlsafe_b64encode
from hashlib import sha256

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.auth.models import Group
from rest_framework.test import APIClient

from hotswap.lib.issuing import issue_access_token, issue_refresh_token
from hotswap.lib.keys import jwt_key, make_keys, rotate_jwt_key
from hotswap.lib.tokens import TokenRefusedError, TokenVerifier
from plugins.models import Account, CredentialGeneration

NO_KEY = object()


@pytest.fixture
def verifier(keys_dir):
    return TokenVerifier(keys_dir / "public")


@pytest.fixture
def forge(keys_dir):
    """``forge(aud="other")``: a token like the platform's, with these differences."""

    def make(*, key=None, kid=None, algorithm="ES256", drop=(), **changes):
        ours = jwt_key(keys_dir)
        now = int(time.time())
        claims = {"sub": "1", "aud": "hotswap", "iat": now, "exp": now + 60, "jti": "a"}
        claims |= {"epoch": 0, "token_type": "access"} | changes
        for name in drop:
            del claims[name]
        headers = {"kid": kid or ours.kid}
        secret = None if key is NO_KEY else key or ours.private
        return jwt.encode(claims, secret, algorithm=algorithm, headers=headers)

    return make


def test_a_token_names_its_user_and_epoch(bob, verifier):
    claims = verifier.verify(issue_access_token(bob))

    assert (claims.user_id, claims.role) == (bob.pk, "Developer")
    assert claims.epoch == Account.objects.get(user=bob).credential_epoch
    assert claims.expires_at > time.time()


def test_a_token_of_the_key_before_the_last_is_still_good(bob, tmp_path, settings):
    settings.KEYS_DIR = tmp_path
    make_keys(tmp_path)
    token = issue_access_token(bob)
    verifier = TokenVerifier(tmp_path / "public")

    rotate_jwt_key(tmp_path)
    assert verifier.verify(token).user_id == bob.pk
    assert verifier.verify(issue_access_token(bob)).user_id == bob.pk

    rotate_jwt_key(tmp_path)
    with pytest.raises(TokenRefusedError):
        verifier.verify(token)


FORGERIES = {
    "another audience": {"aud": "elsewhere"},
    "several audiences": {"aud": ["hotswap", "elsewhere"]},
    "expired": {"exp": 1},
    "a refresh token": {"token_type": "refresh"},
    "no expiry": {"drop": ["exp"]},
    "no epoch": {"drop": ["epoch"]},
    "an epoch that is text": {"epoch": "0"},
    "a user that is no number": {"sub": "bob"},
    "another key under our name": {"key": ec.generate_private_key(ec.SECP256R1())},
    "an unknown key": {"kid": "0123456789abcdef"},
    "a key name that is a path": {"kid": "../../jwt/whatever"},
    "signed with a shared secret": {"key": "x" * 32, "algorithm": "HS256"},
    "not signed": {"key": NO_KEY, "algorithm": "none"},
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_token_is_refused(forge, verifier, forgery):
    assert verifier.verify(forge()).user_id == 1

    with pytest.raises(TokenRefusedError):
        verifier.verify(forge(**forgery))


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "ü.ü.ü", "." * 5000])
def test_what_is_no_token_is_refused(verifier, text):
    with pytest.raises(TokenRefusedError):
        verifier.verify(text)


def test_a_public_key_of_the_platform_is_no_shared_secret(forge, verifier, keys_dir):
    public = next((keys_dir / "public" / "jwt").glob("*.pem")).read_text()
    _head, body, _ = forge().split(".")
    header = urlsafe_b64encode(b'{"alg":"HS256","kid":"%s"}' % jwt_key(keys_dir).kid.encode())
    text = f"{header.decode().rstrip('=')}.{body}"
    mac = hmac.new(public.encode(), text.encode(), sha256).digest()

    with pytest.raises(TokenRefusedError):
        verifier.verify(f"{text}.{urlsafe_b64encode(mac).decode().rstrip('=')}")


def change_password(user):
    user.set_password("another battery staple")
    user.save()


def deactivate(user):
    user.is_active = False
    user.save(update_fields=["is_active"])


def promote(user):
    user.is_superuser = True
    user.save()


def join_group(user):
    user.groups.add(Group.objects.get(name="Approver"))


def leave_group(user):
    user.groups.get(name="Developer").user_set.remove(user)


def group_cleared(user):
    user.groups.get(name="Developer").user_set.clear()


@pytest.mark.parametrize(
    "change", [change_password, deactivate, promote, join_group, leave_group, group_cleared]
)
def test_a_change_of_rights_ends_the_tokens_of_before(bob, keys_dir, change):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_access_token(bob)}")
    assert client.get("/api/v1/me").status_code == 200
    before = CredentialGeneration.objects.get().number

    change(bob)

    assert client.get("/api/v1/me").status_code == 401
    assert Account.objects.get(user=bob).generation == before + 1


def test_signing_in_ends_no_token(bob, client):
    epoch = Account.objects.get(user=bob).credential_epoch

    client.force_login(bob)
    bob.first_name = "Bob"
    bob.save()

    assert Account.objects.get(user=bob).credential_epoch == epoch


def test_a_refresh_token_opens_nothing(bob, keys_dir):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_refresh_token(bob)}")

    assert client.get("/api/v1/me").status_code == 401
