import re

from tests.architecture.sources import APPS, REPOSITORY, all_files, name_of, python_files

# Names that say nothing about what is inside.
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "manager", "misc"}
TEXT = {
    "",
    *[
        ".py",
        ".md",
        ".toml",
        ".txt",
        ".sql",
        ".html",
        ".css",
        ".js",
        ".json",
        ".yml",
        ".yaml",
        ".sh",
        ".in",
    ],
}
# Paths of one machine, and the hosts that packages came from.
MACHINE_BOUND = (
    re.compile(r"/work/(?!flow)\w+|/root/\.|/home/(?!\.\.\.)[a-z]+/"),
    re.compile(r"https?://\S*(?:/simple\b|artifactory|pypi\.org|pythonhosted|registry\.npmjs)"),
    re.compile(r"index-url[ =]+https?:(?!\S*\.example)\S+"),
)


def test_no_module_has_a_name_that_says_nothing():
    named = {
        name_of(path) for path in python_files() if EMPTY_NAMES & {path.stem, *path.parent.parts}
    }
    assert named == set()


def test_the_top_level_is_the_table_of_contents():
    ours = {path.parent.name for path in REPOSITORY.glob("*/apps.py")}
    assert ours == set(APPS)


def test_nothing_is_bound_to_one_machine_or_registry():
    found = [
        f"{name_of(path)}: {match.group()}"
        for path in all_files()
        if path.suffix in TEXT and path.name != "test_names.py"
        for pattern in MACHINE_BOUND
        for match in pattern.finditer(path.read_text(errors="replace"))
    ]
    assert found == []
