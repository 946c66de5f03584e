"""Fetches from the one index, and from nowhere else, on behalf of a jail and of the worker.

The jail names projects and files; what it may not have is refused here, whatever it says. Every
size and the number of requests are bounded; redirects are followed by hand, each checked.
"""

import hashlib
import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote, urljoin, urlsplit

import httpx

from plugins.artifact.limits import MAX_ARTIFACT_BYTES
from plugins.resolving.errors import ResolutionError
from plugins.resolving.index import Index

MAX_PAGE_BYTES = 48 << 20
MAX_METADATA_BYTES = 1 << 20
MAX_REQUESTS = 2000
MAX_TOTAL_BYTES = 1 << 30
MAX_REDIRECTS = 3
TRIES = 3
FIRST_PAUSE_SECONDS = 0.5
TIMEOUT = httpx.Timeout(30, connect=10)
SLOWEST_SECONDS = 180
PAGES = (
    "application/vnd.pypi.simple.v1+json, "
    "application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
)
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,126}[a-z0-9])?", re.ASCII)
SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
RETRIED = frozenset({429, 500, 502, 503, 504})
Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole answer in memory; ``url`` is where it came from in the end."""

    url: str
    content_type: str
    body: bytes


class IndexBroker:
    """One attempt's way to the index. ``note`` hears what is being looked at."""

    def __init__(self, index: Index, directory: Path, note: Note) -> None:
        self._index = index
        self._directory = directory
        self._note = note
        self._requests = 0
        self._bytes = 0
        self._client = httpx.Client(timeout=TIMEOUT, verify=ssl.create_default_context())

    def __enter__(self) -> "IndexBroker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def project(self, name: str) -> Fetched | None:
        """The page of a project; None when the index has none by that name."""
        if not NAME.fullmatch(name):
            raise ResolutionError(f"{name[:60]!a} is not a normalised project name.")
        self._note(f"Looking at {name}")
        return self._get(self._index.project_url(name), MAX_PAGE_BYTES, accept=PAGES)

    def metadata(self, url: str, sha256: str) -> bytes | None:
        """METADATA beside a wheel (PEP 658); None when the index does not have it after all."""
        found = self._get(f"{url}.metadata", MAX_METADATA_BYTES)
        if found is None:
            return None
        if sha256 and hashlib.sha256(found.body).hexdigest() != sha256:
            raise _altered(f"{filename_of(url)}.metadata")
        return found.body

    def wheel(self, url: str, sha256: str) -> Path:
        """A wheel on local disk, with exactly that digest; fetched once."""
        if not SHA256.fullmatch(sha256):
            raise ResolutionError(f"{filename_of(url)} has no sha256 in the index.")
        path = self._directory / f"{sha256}.whl"
        if not path.exists():
            self._note(f"Fetching {filename_of(url)}")
            self._fetch_wheel(url, sha256, path)
        return path

    def _fetch_wheel(self, url: str, sha256: str, path: Path) -> None:
        partial = path.with_suffix(".part")
        with partial.open("wb+") as file:

            def restart() -> None:
                file.seek(0)
                file.truncate()

            found = self._stream(url, MAX_ARTIFACT_BYTES, file.write, restart=restart)
            if found is None:
                raise ResolutionError(
                    f"The index lists {filename_of(url)} but does not have it.",
                    code="index_unavailable",
                )
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != sha256:
            raise _altered(filename_of(url))
        partial.rename(path)

    def _get(self, url: str, limit: int, accept: str = "*/*") -> Fetched | None:
        body = bytearray()
        response = self._stream(url, limit, body.extend, restart=body.clear, accept=accept)
        if response is None:
            return None
        return Fetched(str(response.url), response.headers.get("content-type", ""), bytes(body))

    def _stream(
        self,
        url: str,
        limit: int,
        write: Callable[[bytes], object],
        *,
        restart: Callable[[], object],
        accept: str = "*/*",
    ) -> httpx.Response | None:
        """The answer's bytes to ``write``; after a failure ``restart``, then all of them again."""
        for left in reversed(range(TRIES)):
            try:
                with self._opened(url, accept) as response:
                    if response.status_code == 404:
                        return None
                    if response.status_code in RETRIED and left:
                        self._pause(left)
                        continue
                    self._read(response, limit, write)
                    return response
            except httpx.HTTPError as error:
                if not left:
                    raise _unavailable(url, type(error).__name__) from error
                restart()
                self._pause(left)
        raise _unavailable(url, "no answer")

    @contextmanager
    def _opened(self, url: str, accept: str) -> Iterator[httpx.Response]:
        """The response at the end of the redirects, each of which must stay with the index."""
        for _ in range(MAX_REDIRECTS + 1):
            self._count(url)
            auth = self._index.auth if self._index.is_own(url) else None
            headers = {"Accept": accept}
            with self._client.stream("GET", url, headers=headers, auth=auth) as response:
                if not response.has_redirect_location:
                    yield response
                    return
                url = urljoin(url, response.headers["location"])
        raise ResolutionError("The index redirects without end.", code="index_refused")

    def _count(self, url: str) -> None:
        self._index.check(url)
        self._requests += 1
        if self._requests > MAX_REQUESTS:
            raise ResolutionError(
                f"More than {MAX_REQUESTS} requests to the index: narrow the constraints.",
                code="resolution_too_large",
            )

    def _read(self, response: httpx.Response, limit: int, write: Callable[[bytes], object]) -> None:
        if response.status_code != 200:
            raise _unavailable(str(response.url), f"status {response.status_code}")
        total, ends_at = 0, time.monotonic() + SLOWEST_SECONDS
        for chunk in response.iter_bytes(1 << 16):
            total += len(chunk)
            self._bytes += len(chunk)
            if total > limit or self._bytes > MAX_TOTAL_BYTES:
                name = filename_of(str(response.url))
                raise ResolutionError(
                    f"{name} is larger than {limit} bytes, or all files together are larger than "
                    f"{MAX_TOTAL_BYTES}: depend on less.",
                    code="resolution_too_large",
                )
            if time.monotonic() > ends_at:
                raise _unavailable(str(response.url), f"slower than {SLOWEST_SECONDS} s")
            write(chunk)

    def _pause(self, left: int) -> None:
        time.sleep(FIRST_PAUSE_SECONDS * (TRIES - left))


def filename_of(url: str) -> str:
    """The last part of an address, for messages."""
    return unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2])[:120]


def _altered(name: str) -> ResolutionError:
    return ResolutionError(
        f"{name!a} does not have the sha256 that the index gives for it: it was altered on the "
        "way or in the index.",
        code="dependency_tampered",
    )


def _unavailable(url: str, what: str) -> ResolutionError:
    return ResolutionError(
        f"The index did not give {filename_of(url)!a} ({what}). Try the resolution again; if it "
        "stays, look at HOTSWAP_INDEX_URL.",
        code="index_unavailable",
    )
