"""Readability formulas for English; other languages get figures that compare only with themselves.

Flesch (1948), Kincaid et al. (1975), Gunning (1952), Smith and Senter (1967, ARI).
"""

from text_insights.words import sentences, syllables, words


def measure(text: str) -> dict[str, float | int]:
    """Counts and scores; all scores are 0 for a text without words."""
    found = words(text)
    counts = [syllables(word) for word in found]
    sentence_count = max(1, len(sentences(text)))
    result: dict[str, float | int] = {
        "words": len(found),
        "sentences": len(sentences(text)),
        "syllables": sum(counts),
    }
    return result | _scores(found, counts, sentence_count)


def _scores(found: list[str], counts: list[int], sentence_count: int) -> dict[str, float | int]:
    names = ("flesch_reading_ease", "flesch_kincaid_grade", "gunning_fog", "automated_readability")
    if not found:
        return dict.fromkeys(names, 0.0)
    length = len(found) / sentence_count
    per_word = sum(counts) / len(found)
    hard = sum(count >= 3 for count in counts) / len(found)
    letters = sum(len(word) for word in found) / len(found)
    scores = (
        206.835 - 1.015 * length - 84.6 * per_word,
        0.39 * length + 11.8 * per_word - 15.59,
        0.4 * (length + 100 * hard),
        4.71 * letters + 0.5 * length - 21.43,
    )
    return {name: round(score, 2) for name, score in zip(names, scores, strict=True)}
