"""One run of a program of ours over data of strangers."""

import os
import tempfile
from pathlib import Path

import pytest

from sandbox.engine.jail import JailSettings
from sandbox.engine.oneshot import OneShotResult, run_once
from sandbox.engine.result import JailUnavailable, OutcomeCode
from sandbox.engine.spec import Limits


class Runs:
    """Programs from texts."""

    def __init__(self, jail: JailSettings, directory: Path) -> None:
        self.jail = jail
        self.directory = directory

    async def __call__(self, text: str, *arguments: str, **options) -> OneShotResult:
        program = self.directory / "program.py"
        program.write_text(text)
        return await run_once(program, arguments, jail=self.jail, **options)


@pytest.fixture
def run(jail: JailSettings, tmp_path: Path) -> Runs:
    return Runs(jail, tmp_path)


@pytest.fixture
def output(jail: JailSettings) -> Path:
    return Path(tempfile.mkdtemp(dir=jail.layers_root))


async def test_a_program_gets_its_arguments_and_answers_on_standard_output(run: Runs):
    text = "import sys\nprint(sys.argv[1:])\nprint('aside', file=sys.stderr)"
    result = await run(text, "a b", "--c")
    assert result.ok
    assert (result.output, result.log) == (b"['a b', '--c']\n", "aside\n")
    assert result.attestation.missing_for(1) == []


async def test_inputs_are_read_only_and_may_lie_where_only_root_reads(run, tmp_path, output):
    (tmp_path / "archive.zip").write_bytes(b"data")
    (output / "tree").mkdir(mode=0o755)
    (output / "tree" / "x").write_text("leaf")
    output.chmod(0o755)
    text = """if True:
        print(open('/input/archive').read(), open('/input/tree/x').read())
        for path in ('/input/archive', '/input/tree/y'):
            try: open(path, 'w'); print('written')
            except OSError: print('refused')"""
    result = await run(
        text, read_only={"archive": tmp_path / "archive.zip", "tree": output / "tree"}
    )
    assert result.output == b"data leaf\nrefused\nrefused\n", result


async def test_what_it_wrote_belongs_to_the_host_afterwards(run: Runs, output: Path):
    text = """if True:
        import os
        os.makedirs('/output/a/b')
        open('/output/a/b/c', 'w').write('x')
        os.chmod('/output/a/b/c', 0o6777)
        os.chmod('/output/a', 0o777)
        os.symlink('/etc/passwd', '/output/link')"""
    assert (await run(text, writable=output)).ok
    for path in (output, output / "a", output / "a/b/c", output / "link"):
        assert path.lstat().st_uid == os.geteuid()
    if os.geteuid() == 0:
        assert (output / "a/b/c").stat().st_mode & 0o7777 == 0o755
        assert (output / "a").stat().st_mode & 0o7777 == 0o755


async def test_a_directory_with_a_main_file_is_a_program(jail: JailSettings, tmp_path: Path):
    package = tmp_path / "artifact"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "answer.py").write_text("VALUE = 42")
    (package / "__main__.py").write_text(
        "import sys; sys.path.insert(0, '/program')\n"
        "from artifact.answer import VALUE; print(VALUE)"
    )
    assert (await run_once(package, jail=jail)).output == b"42\n"


@pytest.mark.parametrize(
    ("text", "limits", "code"),
    [
        ("raise SystemExit(3)", Limits(), OutcomeCode.PLUGIN_ERROR),
        ("raise ValueError", Limits(), OutcomeCode.PLUGIN_ERROR),
        ("import time; time.sleep(60)", Limits(wall_seconds=0.3), OutcomeCode.TIMEOUT),
        ("while True: pass", Limits(cpu_seconds=1), OutcomeCode.CPU_LIMIT),
        ("while True: print('x' * 1000)", Limits(), OutcomeCode.OUTPUT_LIMIT),
        ("import os; os.abort()", Limits(), OutcomeCode.CRASHED),
    ],
)
async def test_a_program_that_does_not_end_well_says_how(run: Runs, text, limits, code):
    assert (await run(text, limits=limits)).code is code


async def test_a_program_that_closes_its_output_still_has_a_time_limit(run: Runs):
    text = "import os, time; os.close(1); time.sleep(60)"
    assert (await run(text, limits=Limits(wall_seconds=0.3))).code is OutcomeCode.TIMEOUT


async def test_the_traceback_is_in_the_log(run: Runs):
    result = await run("raise ValueError('bad zip')")
    assert "ValueError: bad zip" in result.log
    assert result.message == "it ended with status 1"


async def test_a_writable_directory_out_of_reach_is_said(run: Runs, tmp_path: Path):
    if os.geteuid() != 0:
        pytest.skip("an ordinary user's jails reach what the user reaches")
    tmp_path.chmod(0o700)
    with pytest.raises(JailUnavailable, match="Permission denied"):
        await run("pass", writable=tmp_path)


async def test_no_descriptor_and_no_process_is_left(run: Runs):
    await run("pass")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        await run("import time; time.sleep(60)", limits=Limits(wall_seconds=0.1))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
