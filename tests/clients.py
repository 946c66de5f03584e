"""Callers of the API over Django's own handler, with the credentials that the real ones send."""

import pytest
from rest_framework.test import APIClient

from hotswap.lib.issuing import issue_access_token


@pytest.fixture
def as_user(keys_dir):
    """``as_user(bob)``: a client that sends bob's access token; without a user, none."""

    def make(user=None):
        client = APIClient()
        if user is not None:
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_access_token(user)}")
        return client

    return make


@pytest.fixture
def as_key(keys_dir):
    """``as_key(secret)``: a client that sends an API key."""

    def make(secret):
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        return client

    return make
