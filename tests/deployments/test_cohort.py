"""Who comes first. The numbers were computed elsewhere: every implementation must agree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.cohort import bucket, cohort_size, rank, salt_of

TENANTS = ("tenant-001", "tenant-002", "tenant-003", "acme", "globex")


@pytest.mark.parametrize(
    ("version", "buckets"),
    [("2.1.0", [3428, 8851, 6442, 4855, 9]), ("2.2.0", [8972, 9060, 2391, 2798, 728])],
)
def test_golden_buckets(version, buckets):
    assert [bucket(salt_of("crm-sync", version), tenant) for tenant in TENANTS] == buckets


def test_tenants_are_ranked_by_bucket():
    ranked = rank(salt_of("crm-sync", "2.1.0"), TENANTS)

    assert ranked == ["globex", "tenant-001", "acme", "tenant-003", "tenant-002"]


@pytest.mark.parametrize(
    ("percent", "eligible", "size"),
    [(10, 3, 1), (10, 20, 2), (1, 1000, 10), (50, 5, 3), (100, 7, 7), (0, 7, 0), (10, 0, 0)],
)
def test_a_share_is_rounded_up(percent, eligible, size):
    assert cohort_size(percent, eligible) == size


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 500))
def test_a_larger_share_never_evicts_anybody(one, other, eligible):
    smaller, larger = sorted((one, other))

    assert cohort_size(smaller, eligible) <= cohort_size(larger, eligible) <= eligible


@given(st.sets(st.uuids().map(str), max_size=30), st.uuids().map(str))
def test_a_newcomer_changes_nobody_elses_order(tenants, newcomer):
    before = rank("echo@1.0.0", tenants - {newcomer})
    after = rank("echo@1.0.0", tenants | {newcomer})

    assert [tenant for tenant in after if tenant != newcomer] == before
