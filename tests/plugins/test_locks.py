"""What an instance says of a lock before it fetches anything."""

import pytest

from plugins.locks import LockedPackage, LockRefusedError, lock_digest, lock_rows, verify_lock
from tests.plugins.resolving_help import FOREIGN_TAG


def package(name, version="1.0", *, tag="py3-none-any", requires=()):
    filename = f"{name}-{version}-{tag}.whl"
    return LockedPackage(name, version, filename, "a" * 64, 10, tuple(requires))


def verify(packages, *requirements, digest=None):
    rows = lock_rows(packages)
    return verify_lock(requirements, digest or lock_digest(rows), rows)


def test_the_packages_are_in_the_order_of_their_names():
    found = verify([package("b"), package("a", requires=["b"])], "a")
    assert [each.name for each in found] == ["a", "b"]
    assert found[0].requires == ("b",)


def test_a_digest_names_the_packages_whatever_their_order():
    one, other = package("a"), package("b")
    assert lock_digest(lock_rows([one, other])) == lock_digest(lock_rows([other, one]))
    assert lock_digest(lock_rows([one])) != lock_digest(lock_rows([other]))


def test_a_version_without_dependencies_needs_no_lock():
    assert verify_lock((), "", ()) == ()


@pytest.mark.parametrize(
    ("packages", "requirements", "words"),
    [
        ([package("a", requires=["b"])], ["a"], "a needs b, which is not in its lock"),
        ([package("a")], ["a", "c"], "needs c, which is not in its lock"),
        ([package("a")], ["a>=2"], "needs a>=2, which is not in its lock"),
        ([package("a", tag=FOREIGN_TAG)], ["a"], "for another platform or Python"),
        ([package("a", tag="any")], ["a"], "is no wheel"),
    ],
)
def test_a_lock_that_does_not_fit_is_refused(packages, requirements, words):
    with pytest.raises(LockRefusedError, match=words):
        verify(packages, *requirements)


def test_a_lock_that_was_altered_is_refused():
    with pytest.raises(LockRefusedError, match="not the one with the digest"):
        verify([package("a")], "a", digest="0" * 64)


def test_dependencies_without_a_lock_are_refused():
    with pytest.raises(LockRefusedError, match="not resolved"):
        verify_lock(["a"], "", ())


def test_rows_of_another_form_are_refused():
    rows = [{"name": "a"}]
    with pytest.raises(LockRefusedError, match="another form"):
        verify_lock(["a"], lock_digest(rows), rows)
