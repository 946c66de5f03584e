"""How times, sizes, states and digests look on every page."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

# The tone says how it stands at a glance; the word beside it says it to everybody.
_TONES = {
    "good": "completed approved done ready live active enabled stable resolved",
    "busy": "in_progress running fetching starting loading candidate pending",
    "warn": "paused awaiting_approval rolling_back rolled_back draining deprecated yanked silent "
    "held pinned frozen cordoned",
    "bad": "failed rollback_failed rejected revoked aborted killed suspended",
}
_TONE_OF = {state: tone for tone, states in _TONES.items() for state in states.split()}
_STEPS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


@register.simple_tag
def badge(state: str, label: str = "") -> SafeString:
    """``state`` as a small coloured word."""
    words = label or str(state).replace("_", " ")
    return format_html(
        '<span class="badge badge-{}">{}</span>', _TONE_OF.get(str(state), "plain"), words
    )


@register.simple_tag
def when(moment: datetime | None) -> SafeString:
    """A moment as words and, for machines and on hovering, exactly."""
    if moment is None:
        return mark_safe('<span class="quiet">not yet</span>')
    exact = moment.astimezone(timezone.get_current_timezone())
    return format_html(
        '<time datetime="{}" title="{}" data-relative>{}</time>',
        exact.isoformat(timespec="seconds"),
        exact.strftime("%-d %B %Y, %H:%M:%S %Z"),
        words_since(moment, timezone.now()),
    )


@register.simple_tag
def exactly(moment: datetime | None) -> SafeString:
    """A moment as a clock shows it, for lists of events."""
    if moment is None:
        return mark_safe("")
    exact = moment.astimezone(timezone.get_current_timezone())
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        exact.isoformat(timespec="milliseconds"),
        exact.strftime("%-d %B %Y, %H:%M:%S %Z"),
        exact.strftime("%H:%M:%S"),
    )


def words_since(moment: datetime, now: datetime) -> str:
    """Coarse on purpose: a live part stays the same, byte for byte, while nothing happens."""
    seconds = (now - moment).total_seconds()
    ahead = seconds < 0
    seconds = abs(seconds)
    if seconds < 60:
        return "within a minute" if ahead else "just now"
    length, name = next(step for step in _STEPS if seconds >= step[0])
    count = int(seconds // length)
    words = f"{count} {name}{'' if count == 1 else 's'}"
    return f"in {words}" if ahead else f"{words} ago"


@register.filter
def duration(span: timedelta | None) -> str:
    """``0.4 s``, ``12 s``, ``3 min 5 s``, ``2 h 10 min``."""
    if span is None:
        return ""
    seconds = max(span.total_seconds(), 0)
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (0 if hours else rest, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


@register.filter
def short_digest(digest: str) -> str:
    return digest[:12]


@register.filter
def spoken(name: str) -> str:
    """A state or an option's name as words."""
    return str(name).replace("_", " ")


@register.filter
def thousands(number: int | None) -> str:
    """``12 345`` with narrow spaces that do not break."""
    return f"{number or 0:,}".replace(",", "\u202f")
