"""What a text is like: how hard to read, in which language, and what it is about."""

from text_insights.plugin import TextInsights

__all__ = ["TextInsights"]
