"""A real S3 server for tests: one node of OpenStack Swift with its S3 API, on loopback.

It checks signatures and expiry, unlike an imitation. Its four processes die with the test run.
"""

import base64
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from hotswap.embedded.ports import any_free_port
from hotswap.embedded.processes import end, spawn, tail
from plugins.storage.s3 import S3Artifacts, client_config
from tests.waiting import wait_until

KINDS = ("account", "container", "object")
ACCESS_KEY, SECRET_KEY, REGION = "hotswap:tests", "secret-of-the-tests", "us-east-1"
READER_KEY = "hotswap:reader"
BIN = Path(sys.executable).parent
REPOSITORY = Path(__file__).resolve().parent.parent

SWIFT = """\
[swift-hash]
swift_hash_path_prefix = hotswap
swift_hash_path_suffix = tests
[storage-policy:0]
name = one
default = yes
"""
COMMON = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
swift_dir = {directory}
devices = {directory}/devices
mount_check = false
disable_fallocate = true
log_level = WARNING
log_address = {directory}/no-syslog
user = {user}
"""
STORAGE = """\
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
FILTERS = {
    "catch_errors": "",
    "listing_formats": "",
    "bulk": "",
    "s3api": f"location = {REGION}\nauth_pipeline_check = false\ncheck_bucket_owner = false\n",
    "tempauth": f"user_{ACCESS_KEY.replace(':', '_')} = {SECRET_KEY} .admin\n"
    f"user_{READER_KEY.replace(':', '_')} = {SECRET_KEY}\n",
    "copy": "",
    "slo": "",
    "dlo": "",
    "versioned_writes": "allow_versioned_writes = true\nallow_object_versioning = true\n",
    "symlink": "",
    "keymaster": f"encryption_root_secret = {base64.b64encode(bytes(32)).decode()}\n",
    "encryption": "",
}
RINGS = """
import sys
from swift.common.ring import RingBuilder

directory, *ports = sys.argv[1:]
for kind, port in zip(("account", "container", "object"), map(int, ports)):
    builder = RingBuilder(4, 1, 0)
    builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "d1",
                     "replication_ip": "127.0.0.1", "replication_port": port, "weight": 1,
                     "meta": ""})
    builder.rebalance(seed="1")
    builder.get_ring().save(f"{directory}/{kind}.ring.gz")
"""


@dataclass
class S3Server:
    """Started by ``start``; path-style addresses, signature version 4."""

    directory: Path
    port: int = 0
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Write rings and settings, start the four servers, and wait until S3 answers."""
        ports = [any_free_port()]
        while len(ports) < len(KINDS) + 1:
            ports.append(any_free_port(ports))
        *storage, self.port = ports
        (self.directory / "devices" / "d1").mkdir(parents=True)
        self._configure(storage)
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", RINGS, self.directory, *map(str, storage)],
            check=True,
            capture_output=True,
        )
        environment = {**os.environ, "SWIFT_DIR": str(self.directory), "PYTHONWARNINGS": "ignore"}
        for kind in (*KINDS, "proxy"):
            command = [BIN / f"swift-{kind}-server", self.directory / f"{kind}-server.conf"]
            log = self.directory / f"{kind}.log"
            self.processes.append(spawn(command, log=log, environment=environment))
        wait_until(self._answers, seconds=60, what="the S3 server answers")

    def stop(self) -> None:
        for process in reversed(self.processes):
            end(process, seconds=5)

    def client(self, secret_key: str = SECRET_KEY):
        """A boto3 client that gives up quickly."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=secret_key,
            region_name=REGION,
            config=client_config("path"),
        )

    def new_bucket(self) -> str:
        """The name of an empty bucket that only the caller knows."""
        bucket = f"artifacts-{uuid.uuid4().hex[:12]}"
        self.client().create_bucket(Bucket=bucket)
        return bucket

    def let_read(self, bucket: str) -> None:
        """Anybody, with or without credentials, may read and list it, and no more."""
        self.client().put_bucket_acl(Bucket=bucket, ACL="public-read")

    def storage(self, bucket: str, **changes) -> S3Artifacts:
        """What HOTSWAP_S3_* settings for this server and bucket make."""
        options = {
            "bucket_name": bucket,
            "endpoint_url": self.endpoint,
            "access_key": ACCESS_KEY,
            "secret_key": SECRET_KEY,
            "region_name": REGION,
            "file_overwrite": False,
            "default_acl": None,
            "encryption": "AES256",
        }
        return S3Artifacts(**{**options, **changes})

    def _configure(self, ports: list[int]) -> None:
        (self.directory / "swift.conf").write_text(SWIFT)
        for kind, port in zip(KINDS, ports, strict=True):
            self._write(kind, port, STORAGE.format(kind=kind))
        self._write("proxy", self.port, proxy_pipeline())

    def _write(self, kind: str, port: int, rest: str) -> None:
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout
        common = COMMON.format(port=port, directory=self.directory, user=user.strip())
        (self.directory / f"{kind}-server.conf").write_text(common + rest)

    def _answers(self) -> bool:
        for process, kind in zip(self.processes, (*KINDS, "proxy"), strict=True):
            log = tail(self.directory / f"{kind}.log")
            assert process.poll() is None, f"swift-{kind}-server ended by itself:\n{log}"
        with suppress(BotoCoreError, ClientError):
            self.client().list_buckets()
            return True
        return False


def proxy_pipeline() -> str:
    names = " ".join(FILTERS)
    text = f"[pipeline:main]\npipeline = {names} proxy-server\n[app:proxy-server]\n"
    text += "use = egg:swift#proxy\nallow_account_management = true\naccount_autocreate = true\n"
    return text + "".join(
        f"[filter:{name}]\nuse = egg:swift#{name}\n{options}" for name, options in FILTERS.items()
    )


def directory_with_attributes() -> Path:
    """Swift keeps its metadata in extended attributes, which not every /tmp has."""
    for parent in (Path(tempfile.gettempdir()), REPOSITORY / ".cache"):
        parent.mkdir(parents=True, exist_ok=True)
        directory = Path(tempfile.mkdtemp(prefix="hotswap-s3-", dir=parent))
        try:
            os.setxattr(directory, "user.test", b"x")
        except OSError:
            directory.rmdir()
        else:
            return directory
    raise OSError("neither /tmp nor the repository is on a file system with extended attributes")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """One server for the run of this worker."""
    server = S3Server(directory_with_attributes())
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.directory, ignore_errors=True)
