import ast

from tests.architecture.sources import functions_of, name_of, python_files

LONGEST_FUNCTION = 50
LONGEST_FILE = 400


def test_no_file_is_longer_than_one_can_keep_in_mind():
    lines = {name_of(path): path.read_text().count("\n") for path in python_files()}
    assert {name: count for name, count in lines.items() if count > LONGEST_FILE} == {}


def test_no_function_is_longer_than_a_screen():
    lengths = {
        f"{name_of(path)}:{function.lineno} {function.name}": length_of(function)
        for path in python_files()
        for function in functions_of(path)
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


def test_an_import_inside_a_function_says_why():
    found = [
        f"{name_of(path)}:{statement.lineno}"
        for path in python_files()
        for function in functions_of(path)
        for statement in ast.walk(function)
        if isinstance(statement, ast.Import | ast.ImportFrom) and not is_explained(path, statement)
    ]
    assert sorted(set(found)) == []


def length_of(function: ast.stmt) -> int:
    return function.end_lineno - function.lineno + 1


def is_explained(path, statement: ast.stmt) -> bool:
    """Whether it has a comment, on its line or above; imports one after the other share one."""
    lines = [line.strip() for line in path.read_text().splitlines()]
    reason = lines[statement.end_lineno - 1].partition("#")[2].replace("noqa", "").strip(" :")
    above = statement.lineno - 2
    while lines[above].startswith(("import ", "from ")):
        above -= 1
    return lines[above].startswith("#") or len(reason.split()) > 1
