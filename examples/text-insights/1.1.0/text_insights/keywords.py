"""What a text is about: words that stand near other important words (TextRank, Mihalcea 2004)."""

from collections import defaultdict

from text_insights.stopwords import STOPWORDS
from text_insights.words import sentences, words

WINDOW = 4
DAMPING = 0.85
ROUNDS = 30
MIN_LETTERS = 3
Graph = dict[str, dict[str, float]]


def keywords(text: str, language: str, limit: int) -> list[dict[str, object]]:
    """Words by rank, best first; equal ranks in the order of the alphabet."""
    ranks = rank(_neighbours(text, language))
    best = sorted(ranks, key=lambda word: (-ranks[word], word))[:limit]
    return [{"keyword": word, "score": round(ranks[word], 3)} for word in best]


def rank(graph: Graph) -> dict[str, float]:
    """PageRank on a weighted, undirected graph; an average node has rank 1."""
    weights = {node: sum(edges.values()) for node, edges in graph.items()}
    ranks = dict.fromkeys(graph, 1.0)
    for _ in range(ROUNDS):
        ranks = {
            node: 1 - DAMPING + DAMPING * _received(edges, weights, ranks)
            for node, edges in graph.items()
        }
    return ranks


def _received(edges: dict[str, float], weights: dict[str, float], ranks: dict[str, float]) -> float:
    return sum(ranks[other] * weight / weights[other] for other, weight in edges.items())


def _neighbours(text: str, language: str) -> Graph:
    """Words of a sentence that stand at most four apart, once stop words are gone."""
    stopwords = STOPWORDS.get(language, STOPWORDS["en"])
    graph: Graph = defaultdict(lambda: defaultdict(float))
    for sentence in sentences(text):
        kept = [word for word in words(sentence) if len(word) >= MIN_LETTERS]
        kept = [word for word in kept if word not in stopwords]
        for place, word in enumerate(kept):
            for other in kept[place + 1 : place + WINDOW]:
                if other != word:
                    graph[word][other] += 1
                    graph[other][word] += 1
    return graph
