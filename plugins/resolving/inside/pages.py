"""Pages of a Simple index: JSON (PEP 691) or HTML (PEP 503), both with PEP 592, 629, 658 and 714.

Pages come from strangers and are read in a jail: what is not understood is left out, and a page
that is no page at all is refused.
"""

import json
from dataclasses import dataclass
from email.message import Message
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from .channel import Page
from .errors import Refused

MAX_FILES = 50_000


@dataclass(frozen=True)
class File:
    """One file of a project. ``sha256`` is empty where the index gives none.

    ``metadata``: whether METADATA lies beside the file; its digest if known in ``metadata_sha256``.
    """

    filename: str
    url: str
    sha256: str = ""
    size: int = 0
    requires_python: str = ""
    yanked: bool = False
    metadata: bool = False
    metadata_sha256: str = ""


def read_page(page: Page) -> list[File]:
    """The files of a project's page, or ``Refused`` for what is no page of a Simple index."""
    header = Message()
    header["content-type"] = page.content_type
    kind = header.get_content_type()
    if kind == "application/vnd.pypi.simple.v1+json":
        found = _read_json(page)
    elif kind in ("text/html", "application/vnd.pypi.simple.v1+html"):
        found = _read_html(page)
    else:
        raise _no_page(page, f"is {kind}")
    if len(found) > MAX_FILES:
        raise _no_page(page, f"lists more than {MAX_FILES} files")
    return found


def _no_page(page: Page, what: str) -> Refused:
    place = urlsplit(page.url).path
    return Refused(f"The index's page {place} {what}.", code="index_refused")


def _read_json(page: Page) -> list[File]:
    try:
        data = json.loads(page.body)
        is_known = str(data["meta"]["api-version"]).split(".")[0] == "1"
        files = data["files"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _no_page(page, "is not JSON of a Simple index") from error
    if not is_known or not isinstance(files, list):
        raise _no_page(page, "is of a version of the Simple API that is not known here")
    return [file for entry in files if (file := _file_of(entry, page.url))]


def _file_of(entry: Any, base: str) -> File | None:
    """PEP 714: ``core-metadata`` counts, ``dist-info-metadata`` is its old name."""
    try:
        metadata = entry.get("core-metadata", entry.get("dist-info-metadata", False))
        hashes = metadata if isinstance(metadata, dict) else {}
        return File(
            filename=str(entry["filename"]),
            url=urljoin(base, str(entry["url"])),
            sha256=str(entry["hashes"].get("sha256", "")).lower(),
            size=entry.get("size") if isinstance(entry.get("size"), int) else 0,
            requires_python=str(entry.get("requires-python") or ""),
            yanked=entry.get("yanked", False) is not False,
            metadata=bool(metadata),
            metadata_sha256=str(hashes.get("sha256", "")).lower(),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _read_html(page: Page) -> list[File]:
    reader = _Anchors()
    reader.feed(page.body.decode("utf-8", "replace"))
    reader.close()
    return [file for link in reader.links if (file := _file_of_link(link, page.url))]


class _Anchors(HTMLParser):
    """Every ``<a href>`` with its attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes)


def _file_of_link(link: dict[str, str], base: str) -> File | None:
    try:
        url, fragment = urldefrag(urljoin(base, link["href"]))
        filename = unquote(urlsplit(url).path.rpartition("/")[2])
    except ValueError:
        return None
    name, _, digest = fragment.partition("=")
    metadata = link.get("data-core-metadata", link.get("data-dist-info-metadata"))
    return File(
        filename=filename,
        url=url,
        sha256=digest.lower() if name == "sha256" else "",
        requires_python=link.get("data-requires-python", ""),
        yanked="data-yanked" in link,
        metadata=metadata is not None and metadata != "false",
        metadata_sha256=(metadata or "").removeprefix("sha256=").lower()
        if (metadata or "").startswith("sha256=")
        else "",
    )
