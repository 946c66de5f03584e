"""Whether somebody without credentials gets at a bucket.

Its access list and policy are asked for, and it is tried: servers differ in which of the three they
have, and none of them alone is the truth.
"""

from collections.abc import Iterator
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from plugins.storage.bucket import Bucket
from plugins.storage.findings import Finding, State

_GROUPS = ("/AllUsers", "/AuthenticatedUsers")
_CLOSE = "take the bucket's public policy and access list away; block public access where possible"


def strangers_may(backend: Bucket, key: str = "") -> Finding:
    """``key`` is an object that is there, to try to read."""
    for look in (_access_list, _policy, _listing, _reading):
        try:
            found = next(look(backend, key), None)
        except ClientError:
            continue  # refused, as it should be, or this server has no such thing
        except BotoCoreError as error:
            return Finding("public access", State.NOTE, f"could not be tried: {error}")
        if found:
            return Finding("public access", State.WRONG, f"anybody may {found}", _CLOSE)
    return Finding("public access", State.OK, "strangers are refused")


def _access_list(backend: Bucket, key: str) -> Iterator[str]:
    grants = backend.client.get_bucket_acl(Bucket=backend.name).get("Grants", ())
    for grant in grants:
        if grant["Grantee"].get("URI", "").endswith(_GROUPS):
            yield f"{grant['Permission'].lower().replace('_', ' ')} it, says its access list"


def _policy(backend: Bucket, key: str) -> Iterator[str]:
    status = backend.client.get_bucket_policy_status(Bucket=backend.name)
    # A server that does not know the question may answer it as if it were a listing.
    if status.get("PolicyStatus", {}).get("IsPublic"):
        yield "use it, says its policy"


def _listing(backend: Bucket, key: str) -> Iterator[str]:
    _stranger(backend).list_objects_v2(Bucket=backend.name, MaxKeys=1)
    yield "list it"


def _reading(backend: Bucket, key: str) -> Iterator[str]:
    if key:
        _stranger(backend).head_object(Bucket=backend.name, Key=key)
        yield "read what is in it"


def _stranger(backend: Bucket) -> Any:
    known = backend.client.meta
    config = known.config.merge(Config(signature_version=UNSIGNED))
    return boto3.client(
        "s3", endpoint_url=known.endpoint_url, region_name=known.region_name, config=config
    )
