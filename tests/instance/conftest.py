"""A world with one plugin, and real instances that serve it."""

import pytest

from tests.instance.places import Place


@pytest.fixture
def place(processes):
    """acme and globex have ``echo`` in qa; nothing of it is deployed yet."""
    return Place(processes)
