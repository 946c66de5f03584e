"""What a person reads when something they asked for was refused."""

from collections.abc import Iterator
from contextlib import contextmanager

from django import forms
from django.contrib import messages
from django.http import HttpRequest

from hotswap.lib.errors import HotSwapError


@contextmanager
def refusal_as_message(request: HttpRequest) -> Iterator[None]:
    """A refused action becomes a message at the top of the next page; other errors pass."""
    try:
        yield
    except HotSwapError as error:
        messages.error(request, as_sentence(error.message))


def show_refusal(form: forms.Form, error: HotSwapError) -> None:
    """Put the refusal beside the fields it names, and the rest above the form."""
    placed = False
    for name, reasons in error.fields.items():
        field = name.removeprefix("options.")
        if field in form.fields:
            placed = True
            for reason in reasons:
                form.add_error(field, as_sentence(reason))
    if not placed:
        form.add_error(None, as_sentence(error.message))


def as_sentence(text: str) -> str:
    """Capital at the start, full stop at the end."""
    text = text.strip()
    if not text:
        return "That was refused."
    ended = text if text[-1] in ".!?" else f"{text}."
    return ended[0].upper() + ended[1:]
