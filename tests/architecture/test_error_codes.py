"""Every code that an error can have is explained in docs/errors.md, and no other."""

import ast
import re
from collections.abc import Iterator

from deployments.instance.answers import STATUS_OF_OUTCOME
from deployments.instance.windows import FAILURES
from hotswap.lib.api.errors import CODE_OF_STATUS
from sandbox.engine.result import OutcomeCode
from tests.architecture.sources import REPOSITORY, python_files

# Where the code stands among the arguments of what is called by these names.
POSITIONS = {"ArtifactError": 0, "Problem": 1, "Refusal": 1, "refuse": 1}
CODE = re.compile(r"[a-z][a-z0-9_]+")


def codes_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg="code", value=ast.Constant(value=str(code))):
                yield code
            case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))):
                yield code
            case ast.Call(func=ast.Name(id=name), args=arguments) if name in POSITIONS:
                yield from (item.value for item in arguments[POSITIONS[name] :][:1]
                            if isinstance(item, ast.Constant))  # fmt: skip


def codes_of_the_source() -> set[str]:
    files = [path for path in python_files() if not {"tests", "bench"} & set(path.parts)]
    found = {code for path in files for code in codes_in(ast.parse(path.read_text()))}
    known = {*CODE_OF_STATUS.values(), *(code.value for code in OutcomeCode)}
    return {code for code in found if CODE.fullmatch(code)} | known


def codes_of_the_page() -> set[str]:
    page = (REPOSITORY / "docs" / "errors.md").read_text()
    tables = re.findall(r"^\| `([a-z0-9_]+)` \|", page, re.MULTILINE)
    lists = re.findall(r"`([a-z0-9_]+(?:\s[a-z0-9_]+)+)`", page)
    return {*tables, *(code for text in lists for code in text.split())}


def test_every_error_code_is_documented_and_every_documented_code_exists():
    source, page = codes_of_the_source(), codes_of_the_page()

    assert (sorted(source - page), sorted(page - source)) == ([], [])


def test_the_page_says_of_every_outcome_its_status_and_whether_it_counts():
    page = (REPOSITORY / "docs" / "errors.md").read_text()
    rows = re.findall(r"^\| `([a-z_]+)` \| (\d+) \| (yes)? ?\| ", page, re.MULTILINE)
    said = {code: (int(status), bool(counts)) for code, status, counts in rows}
    assert said == {
        code.value: (status, code in FAILURES) for code, status in STATUS_OF_OUTCOME.items()
    }
