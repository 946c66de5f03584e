"""Lists cost the same number of queries, however many rows there are."""

import argparse

import pytest
from django.db import transaction

from bench.registry import LISTS, address_of, counted_queries
from bench.registry_rows import seed_registry

pytestmark = pytest.mark.django_db
SMALL = argparse.Namespace(plugins=2, versions=2, tenants=2, limit=100)
LARGE = argparse.Namespace(plugins=40, versions=5, tenants=30, limit=100)
MOST = 12


def queries_of_lists(client, size):
    counts = {}
    for name, path in LISTS.items():
        with counted_queries() as queries:
            answer = client.get(address_of(path, size))
        assert answer.status_code == 200, (name, answer.json())
        # An empty page needs less.
        counts[name] = len(queries) if answer.json()["results"] else 0
    return counts


def test_a_list_needs_as_many_queries_for_many_rows_as_for_few(as_user):
    counts = {}
    for size in (SMALL, LARGE):
        with transaction.atomic():
            counts[size.plugins] = queries_of_lists(as_user(seed_registry(size)), size)
            transaction.set_rollback(True)

    few, many = counts.values()
    assert {name: (few[name], many[name]) for name in LISTS if 0 < few[name] < many[name]} == {}
    assert max(many.values()) <= MOST, many
