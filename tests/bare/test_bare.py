"""The two commands of the README on a machine that has nothing: from a clone, in a path with a
space.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bare.machine import REPOSITORY, CannotBeMadeError, Machine

HERE = "/root/hot swap"
pytestmark = [
    pytest.mark.bare,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another machine"),
    pytest.mark.xdist_group("bare"),
]


@pytest.fixture
def machine() -> Iterator[Machine]:
    # Not pytest's own directory: nobody but root may enter that, and an ordinary user is tried too.
    with tempfile.TemporaryDirectory(prefix="hotswap-bare-", dir="/var/tmp") as directory:
        Path(directory).chmod(0o755)
        try:
            yield Machine.make(Path(directory))
        except CannotBeMadeError as error:
            pytest.skip(str(error))


def test_the_two_commands_set_everything_up_and_again_in_seconds(machine):
    clone = ["git", "clone", "--quiet", str(REPOSITORY), f"{machine.tree}{HERE}"]
    subprocess.run(clone, check=True)

    first = machine.run("./dev", "up", "--until-ready", directory=HERE)
    assert first.returncode == 0, first.stdout
    assert "Installing system packages: python3 python3-venv bubblewrap" in first.stdout
    assert "Ready after" in first.stdout

    second = machine.run("./dev", "up", "--until-ready", directory=HERE)
    assert second.returncode == 0, second.stdout
    assert "Installing" not in second.stdout

    tests = machine.run("./dev", "test", "tests/architecture", directory=HERE)
    assert tests.returncode == 0, tests.stdout
    assert re.fullmatch(r"\d+ passed, 0 failed(, \d+ skipped)?", tests.stdout.splitlines()[-1])


def test_an_ordinary_user_is_told_which_command_to_run(machine):
    shutil.copy(REPOSITORY / "dev", machine.tree / "tmp" / "dev")
    ordinary = ("setpriv", "--reuid=1", "--regid=1", "--clear-groups")
    done = machine.run(*ordinary, "/tmp/dev", "up", directory="/tmp")
    assert done.returncode == 1
    assert "  apt-get update && apt-get install -y --no-install-recommends python3" in done.stdout
