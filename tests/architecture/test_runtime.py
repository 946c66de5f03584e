import ast
import subprocess
import sys

from tests.architecture.sources import REPOSITORY, name_of, tree_of

RUNTIME = REPOSITORY / "sandbox" / "engine" / "runtime"
MODULES = sorted(RUNTIME.rglob("*.py"))
OWN = {path.stem for path in MODULES} | {path.name for path in RUNTIME.iterdir() if path.is_dir()}
IMPORT_ALL = """
import importlib, pathlib, sys
root = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(root))
# start.py beside the packages is the program itself.
for path in sorted(root.glob("*/*.py")):
    importlib.import_module(f"{path.parent.name}.{path.stem}".removesuffix(".__init__"))
foreign = [name for name in sys.modules if "site-packages" in (getattr(sys.modules[name],
"__file__", "") or "")]
sys.exit(f"imported from outside: {foreign}" if foreign else 0)
"""


def test_what_runs_inside_the_jail_imports_the_standard_library_only():
    foreign = {
        f"{name_of(path)}: {name}"
        for path in MODULES
        for name in imported_by(path)
        if name.split(".")[0] not in sys.stdlib_module_names | OWN
    }
    assert MODULES
    assert foreign == set()


def test_what_runs_inside_the_jail_starts_without_site_packages():
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", IMPORT_ALL, RUNTIME],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def imported_by(path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
    return names
