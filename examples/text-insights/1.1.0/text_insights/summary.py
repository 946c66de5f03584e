"""The sentences that say most of a text, in their own order (LexRank on shared words)."""

from itertools import combinations
from math import log

from text_insights.keywords import Graph, rank
from text_insights.stopwords import STOPWORDS
from text_insights.words import sentences, words

MAX_SENTENCES = 400


def summarise(text: str, language: str, count: int) -> list[str]:
    """At most ``count`` sentences; only the first 400 of a text are compared."""
    found = sentences(text)[:MAX_SENTENCES]
    stopwords = STOPWORDS.get(language, STOPWORDS["en"])
    contents = [frozenset(words(sentence)) - stopwords for sentence in found]
    graph: Graph = {str(place): {} for place in range(len(found))}
    for left, right in combinations(range(len(found)), 2):
        weight = _similarity(contents[left], contents[right])
        if weight:
            graph[str(left)][str(right)] = graph[str(right)][str(left)] = weight
    ranks = rank(graph)
    best = sorted(range(len(found)), key=lambda place: (-ranks[str(place)], place))[:count]
    return [found[place] for place in sorted(best)]


def _similarity(left: frozenset[str], right: frozenset[str]) -> float:
    """Shared words, relative to the lengths, so that long sentences do not win by length."""
    shared = len(left & right)
    return shared / (log(len(left) + 1) + log(len(right) + 1)) if shared else 0.0
