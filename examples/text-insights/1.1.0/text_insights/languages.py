"""Guesses the language of a text from runs of three letters (Cavnar and Trenkle, 1994) and from its
most common words, which tell close relatives apart.
"""

from collections import Counter
from math import log

from text_insights.samples import SAMPLES
from text_insights.stopwords import STOPWORDS
from text_insights.words import words

MIN_LETTERS = 12
COMMON_WORD_BONUS = 4.0


class LanguageModels:
    """Learnt once per process: log-likelihoods of letter triples, with add-one smoothing."""

    def __init__(self) -> None:
        self._models = {language: Counter(_triples(text)) for language, text in SAMPLES.items()}
        self._kinds = len({triple for model in self._models.values() for triple in model})

    def guess(self, text: str) -> dict[str, object]:
        """The best language and how far ahead it is, from 0 to 1; ``und`` for too little text."""
        triples = Counter(_triples(text))
        if sum(len(word) for word in words(text)) < MIN_LETTERS:
            return {"language": "und", "confidence": 0.0}
        scores = {
            name: self._score(model, triples) + COMMON_WORD_BONUS * _common_words(text, name)
            for name, model in self._models.items()
        }
        best, second = sorted(scores, key=scores.__getitem__, reverse=True)[:2]
        lead = (scores[best] - scores[second]) / abs(scores[second])
        return {"language": best, "confidence": round(min(1.0, lead * 10), 3)}

    def _score(self, model: Counter[str], triples: Counter[str]) -> float:
        size = model.total() + self._kinds
        return sum(count * log((model[triple] + 1) / size) for triple, count in triples.items())


def _common_words(text: str, language: str) -> int:
    return sum(word in STOPWORDS[language] for word in words(text))


def _triples(text: str) -> list[str]:
    padded = (f" {word} " for word in words(text))
    return [word[start : start + 3] for word in padded for start in range(len(word) - 2)]
