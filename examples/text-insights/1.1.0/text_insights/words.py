"""Sentences, words and syllables of plain text."""

import re
import unicodedata

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'\u201d\u2019)\]]*\s+|\n\s*\n")
_VOWEL_GROUPS = re.compile(r"[aeiouyàâäáåãæéèêëíìîïóòôöõøœúùûüýÿąęő]+")
_ABBREVIATIONS = {"mr", "mrs", "ms", "dr", "prof", "st", "vs", "etc", "eg", "ie", "no", "bzw"}


def sentences(text: str) -> list[str]:
    """Split at ends of sentences and empty lines, but not after a known abbreviation."""
    found: list[str] = []
    for part in _SENTENCE_END.split(unicodedata.normalize("NFC", text)):
        piece = " ".join(part.split())
        if found and _ends_with_abbreviation(found[-1]):
            found[-1] = f"{found[-1]} {piece}"
        elif piece:
            found.append(piece)
    return found


def words(text: str) -> list[str]:
    """Words in lower case; apostrophes inside a word stay."""
    return [word.lower() for word in _WORD.findall(unicodedata.normalize("NFC", text))]


def syllables(word: str) -> int:
    """Groups of vowels, without the silent e at the end of an English word."""
    groups = _VOWEL_GROUPS.findall(word)
    silent = len(groups) > 1 and word.endswith("e") and not word.endswith(("le", "ee", "ie"))
    return max(1, len(groups) - silent)


def _ends_with_abbreviation(sentence: str) -> bool:
    last = sentence.rsplit(" ", 1)[-1].rstrip(".").lower().replace(".", "")
    return sentence.endswith(".") and last in _ABBREVIATIONS
