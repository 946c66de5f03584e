"""The methods that the manifest declares."""

from collections import Counter
from typing import Any

from hotswap_plugin import Plugin, TenantContext

from text_insights.keywords import keywords
from text_insights.languages import LanguageModels
from text_insights.readability import measure
from text_insights.words import words

Json = dict[str, Any]


class TextInsights(Plugin):
    def startup(self) -> None:
        """Learn the languages once, before the first call."""
        self.languages = LanguageModels()

    def readiness(self) -> None:
        """The models must know their own language."""
        if self.languages.guess("the rights of everyone in this world")["language"] != "en":
            raise RuntimeError("the language models are not usable")

    def analyse(self, ctx: TenantContext, text: str, keyword_limit: int | None = None) -> Json:
        """Everything at once."""
        language = self.languages.guess(text)
        limit = keyword_limit or ctx.config.get("keyword_limit", 8)
        ctx.metric("characters_analysed_total", len(text))
        return {
            "language": language,
            "readability": measure(text),
            "keywords": keywords(text, str(language["language"]), limit),
            "engine": "rake",
        }

    def language(self, ctx: TenantContext, text: str) -> Json:
        """The language alone."""
        return self.languages.guess(text)

    def ngrams(self, ctx: TenantContext, text: str, size: int = 2, limit: int = 20) -> Json:
        """The most frequent runs of words."""
        found = words(text)
        runs = Counter(
            " ".join(found[start : start + size]) for start in range(len(found) - size + 1)
        )
        best = sorted(runs.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]
        return {"size": size, "ngrams": [{"text": text, "count": count} for text, count in best]}
