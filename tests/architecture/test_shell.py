import shutil
import subprocess

import pytest

from tests.architecture.sources import REPOSITORY

SHELLS = [name for name in ("dash", "sh", "bash") if shutil.which(name)]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=REPOSITORY,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_dev_is_plain_posix_shell(shell):
    assert run(shell, "-n", "dev").stderr == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_dev_without_a_command_shows_what_it_can_do(shell):
    done = run(shell, "dev")
    assert done.returncode == 0, done.stderr
    assert "./dev up" in done.stdout


def test_an_unknown_command_shows_the_list_and_fails():
    done = run("/bin/sh", "dev", "nonsense")
    assert done.returncode == 1
    assert "./dev up" in done.stderr
    assert "there is no command 'nonsense'" in done.stderr
