"""Version numbers of plugins: ``X.Y.Z``, perhaps a pre-release, in PEP 440's canonical form."""

import re
from functools import lru_cache

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from hotswap.lib.errors import InvalidInputError

_NUMBER = r"(?:0|[1-9][0-9]{0,5})"
_CANONICAL = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:(?:a|b|rc){_NUMBER})?", re.ASCII)
MAX_SPECIFIER_CHARACTERS = 200


class InvalidVersionError(InvalidInputError):
    """The text is not a version number or a constraint on one."""

    code = "invalid_version"


def parse_version(text: str) -> Version:
    """Read ``1.2.0`` or ``1.2.0rc1``; anything else raises and names the form to use."""
    if _CANONICAL.fullmatch(text):
        return Version(text)
    raise InvalidVersionError(f"{text[:64]!r} is not a version: write X.Y.Z{_suggestion(text)}.")


def parse_specifier(text: str) -> SpecifierSet:
    """Read a constraint such as ``>=1.5,<2``."""
    if len(text) > MAX_SPECIFIER_CHARACTERS:
        raise InvalidVersionError(
            f"A version constraint has at most {MAX_SPECIFIER_CHARACTERS} characters."
        )
    try:
        return SpecifierSet(text)
    except InvalidSpecifier as error:
        raise InvalidVersionError(
            f"{text[:64]!r} is not a version constraint: write for example '>=1.5,<2'."
        ) from error


def satisfies(version: str, constraint: str) -> bool:
    """Whether the version meets the constraint; a pre-release only where that names one."""
    specifier = _read_specifier(constraint)
    # Without an answer of ours, packaging takes a pre-release where it is all that is offered.
    return specifier.contains(_read_version(version), prereleases=bool(specifier.prereleases))


# A graph asks the same few texts of hundreds of versions.
@lru_cache(maxsize=4096)
def _read_specifier(text: str) -> SpecifierSet:
    return parse_specifier(text)


@lru_cache(maxsize=16_384)
def _read_version(text: str) -> Version:
    return parse_version(text)


def _suggestion(text: str) -> str:
    """The canonical spelling when there is one, such as 1.0.0rc1 for 1.0.0-rc.1."""
    try:
        version = Version(text[:64])
    except InvalidVersion:
        return ", or X.Y.ZrcN for a pre-release"
    release = (*version.release, 0, 0)[:3]
    stage = "".join(str(part) for part in version.pre or ())
    candidate = ".".join(str(part) for part in release) + stage
    extra = len(version.release) > 3 or version.epoch or version.local or version.dev is not None
    plain = not extra and version.post is None and _CANONICAL.fullmatch(candidate)
    return f", here {candidate!r}" if plain else ", or X.Y.ZrcN for a pre-release"
