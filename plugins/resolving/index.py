"""The one package index that is configured, and which addresses belong to it."""

from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit

from django.conf import settings

from hotswap.lib.errors import InvalidInputError
from plugins.resolving.errors import ResolutionError

PORTS = {"http": 80, "https": 443}
Origin = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Index:
    """``url`` ends with a slash and has no credentials; ``auth`` goes to the index's origin only.

    ``file_hosts`` are other hosts that its pages may name for files, always over https.
    """

    url: str
    auth: tuple[str, str] | None = None
    file_hosts: frozenset[str] = frozenset()

    def project_url(self, name: str) -> str:
        return urljoin(self.url, f"{name}/")

    def is_own(self, url: str) -> bool:
        """Whether the address has the index's very origin."""
        return origin_of(url) == origin_of(self.url)

    def check(self, url: str) -> None:
        """Raise unless the address is the index's or that of one of its hosts for files."""
        scheme, host, port = origin_of(url)
        if self.is_own(url):
            return
        if scheme == "https" and port == 443 and host in self.file_hosts:
            return
        raise ResolutionError(
            f"The index points to {host!a}, which is neither the index nor among "
            "HOTSWAP_INDEX_FILE_HOSTS: nothing is fetched from there.",
            code="index_refused",
        )


def origin_of(url: str) -> Origin:
    """Scheme, host and port; what hides a host, or is no web address, is refused."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _not_web(url) from error
    host = (parts.hostname or "").rstrip(".")
    plain = "@" not in parts.netloc and "\\" not in url and url.isascii() and url.isprintable()
    if parts.scheme not in PORTS or not host or not plain:
        raise _not_web(url)
    return parts.scheme, host, port or PORTS[parts.scheme]


def configured_index() -> Index | None:
    """From HOTSWAP_INDEX_URL, None where it is not set. No other configuration is read."""
    if not settings.INDEX_URL:
        return None
    parts = urlsplit(settings.INDEX_URL)
    if parts.scheme not in PORTS or not parts.hostname:
        raise InvalidInputError("HOTSWAP_INDEX_URL must be an http or https address.")
    url = urlunsplit((parts.scheme, _bare(parts), parts.path.rstrip("/") + "/", "", ""))
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    hosts = frozenset(host.strip().lower() for host in settings.INDEX_FILE_HOSTS)
    return Index(url, auth, hosts)


def _bare(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _not_web(url: str) -> ResolutionError:
    return ResolutionError(
        f"The index points to {url[:100]!a}, which is not a plain web address.",
        code="index_refused",
    )
