"""The resolver without its jail, over an index in memory."""

from packaging.markers import default_environment
from packaging.tags import Tag, sys_tags
from packaging.utils import canonicalize_name

from plugins.resolving.inside.channel import Page
from plugins.resolving.inside.projects import Target
from plugins.resolving.inside.resolver import resolve

HERE = {tag: rank for rank, tag in enumerate(sys_tags())}
NATIVE_TAG = str(next(iter(HERE)))
FOREIGN_TAG = str(Tag("cp311", "cp311", "win_amd64"))


class NearHost:
    """Answers as the broker does, from a ``LocalIndex``."""

    def __init__(self, index):
        self._index = index

    def project(self, name):
        if name not in self._index.pages:
            return None
        kind, body = self._index.page(name)
        return Page(kind, f"{self._index.url}{name}/", body)

    def metadata(self, url, sha256):
        return self._index.answer(f"{_path(url)}.metadata")[2] or None

    def wheel(self, url, sha256):
        return self._index.answer(_path(url))[2]


def _path(url):
    return "/" + url.split("/", 3)[3]


def resolve_near(index, *requirements, native=False, python="3.11.7"):
    """Names to versions."""
    return {
        each.name: each.version
        for each in choose_near(index, *requirements, native=native, python=python)
    }


def choose_near(index, *requirements, native=False, python="3.11.7"):
    target = Target(HERE, python, native)
    environment = dict(default_environment())
    assert all(name == canonicalize_name(name) for name in index.pages)
    return resolve(requirements, NearHost(index), target, environment)
