"""What a text is about: phrases between stop words (RAKE, Rose et al. 2010)."""

from collections import Counter

from text_insights.stopwords import STOPWORDS
from text_insights.words import sentences, words

MAX_PHRASE_WORDS = 3
MIN_LETTERS = 3


def keywords(text: str, language: str, limit: int) -> list[dict[str, object]]:
    """Phrases by score, best first; equal scores in the order of the alphabet."""
    phrases = [phrase for sentence in sentences(text) for phrase in _phrases(sentence, language)]
    frequency = Counter(word for phrase in phrases for word in phrase)
    degree: Counter[str] = Counter()
    for phrase in phrases:
        for word in phrase:
            degree[word] += len(phrase)
    scores = {
        " ".join(phrase): sum(degree[word] / frequency[word] for word in phrase)
        for phrase in phrases
    }
    counts = Counter(" ".join(phrase) for phrase in phrases)
    weighted = {phrase: score * counts[phrase] for phrase, score in scores.items()}
    best = sorted(weighted, key=lambda phrase: (-weighted[phrase], phrase))[:limit]
    return [{"keyword": phrase, "score": round(weighted[phrase], 3)} for phrase in best]


def _phrases(sentence: str, language: str) -> list[tuple[str, ...]]:
    """Runs of words without a stop word, cut at three words."""
    stopwords = STOPWORDS.get(language, STOPWORDS["en"])
    found: list[tuple[str, ...]] = []
    run: list[str] = []
    for word in words(sentence):
        if word in stopwords or len(word) < MIN_LETTERS:
            found += _cut(run)
            run = []
        else:
            run.append(word)
    return found + _cut(run)


def _cut(run: list[str]) -> list[tuple[str, ...]]:
    starts = range(0, len(run), MAX_PHRASE_WORDS)
    return [tuple(run[start : start + MAX_PHRASE_WORDS]) for start in starts]
