"""Resolutions as the worker runs them: a real jail, a real index over HTTP, real rows."""

from pathlib import Path

import pytest

from hotswap.lib.errors import InvalidInputError
from observability.models import AuditEvent
from plugins.locks import lock_digest
from plugins.models import DependencyLock, PluginVersion, Resolution
from plugins.storage import ArtifactStore
from plugins.tasks import resolve_dependencies
from tests.artifacts import zip_bytes
from tests.plugins.resolving_help import FOREIGN_TAG, NATIVE_TAG
from tests.wheelhouse import LocalIndex, dependency_wheel

pytestmark = pytest.mark.django_db


def problem(resolution):
    assert (resolution.status, resolution.version.lock_digest) == ("failed", "")
    return resolution.problem["code"]


def test_a_version_gets_a_lock_of_hashed_wheels_in_the_storage(index, resolve, tmp_path):
    digests = {"app": index.add("app", requires=["lib<2"]), "lib": index.add("lib", "1.5")}
    index.add("lib", "2.0")

    version, resolution = resolve("app")

    lock = DependencyLock.objects.get(digest=version.lock_digest)
    assert (resolution.status, resolution.problem) == ("resolved", None)
    assert lock.digest == lock_digest(lock.packages)
    assert {row["name"]: row["sha256"] for row in lock.packages} == digests
    assert [row["requires"] for row in lock.packages] == [["lib"], []]
    for row in lock.packages:
        ArtifactStore().fetch(row["sha256"], tmp_path / "wheel")
        assert (tmp_path / "wheel").stat().st_size == row["bytes"]
    assert AuditEvent.objects.filter(action="version.resolved").exists()


def test_progress_says_what_is_looked_at(index, resolve):
    index.add("lib")
    _, resolution = resolve("lib")
    messages = [entry["message"] for entry in resolution.progress]
    assert messages == [
        "Looking at lib",
        "Fetching lib-1.0-py3-none-any.whl",
        "Chose 1 packages",
        "Checking lib-1.0-py3-none-any.whl",
    ]


def test_versions_that_resolve_to_the_same_share_the_lock(index, resolve):
    index.add("lib")
    first, _ = resolve("lib")
    second, _ = resolve("lib>=1", version="1.1.0")
    assert first.lock_digest == second.lock_digest
    assert DependencyLock.objects.count() == 1


def test_the_bill_of_materials_lists_the_wheels(index, resolve):
    digest = index.add("lib", "1.5")
    version, _ = resolve("lib")
    assert digest in str(version.sbom["components"])


def test_a_version_without_python_dependencies_has_nothing_to_resolve(upload):
    version = upload()
    assert not Resolution.objects.filter(version=version).exists()
    assert resolve_dependencies() is None


def test_without_an_index_the_upload_says_how_to_get_one(upload, settings):
    settings.INDEX_URL = ""
    with pytest.raises(InvalidInputError) as caught:
        upload("lib")
    assert "HOTSWAP_INDEX_URL" in caught.value.fields["dependencies.python"][0]
    assert not PluginVersion.objects.exists()


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_the_setup_script_of_a_direct_reference_never_runs(index, resolve, tmp_path, scheme):
    """An installer would run it even when told to take wheels only."""
    canary = tmp_path / "ran"
    script = f"open({str(canary)!r}, 'w').close()\n"
    source = zip_bytes({"canary-1.0/setup.py": script, "canary-1.0/PKG-INFO": "Name: canary\n"})
    path = tmp_path / "canary-1.0.zip"
    path.write_bytes(source)
    index.add_file("canary-1.0.zip", source, "canary")
    where = {"file": path.as_uri(), "http": f"http://{index.host}/files/canary-1.0.zip"}
    index.add("evil", requires=[f"canary @ {where[scheme]}"])
    index.add("app", requires=["evil"])

    _, resolution = resolve("app")

    assert problem(resolution) == "dependency_reference"
    assert "evil 1.0 asks for" in resolution.problem["message"]
    assert not canary.exists()
    assert "/files/canary-1.0.zip" not in index.asked


def test_a_package_in_source_only_is_refused_and_never_fetched(index, resolve):
    index.add_sdist("source")
    _, resolution = resolve("source")
    assert problem(resolution) == "dependency_sdist_only"
    assert not [path for path in index.asked if path.startswith("/files")]


def test_a_conflict_names_both_requirers(index, resolve):
    index.add("a", requires=["shared>=2"])
    index.add("b", requires=["shared<2"])
    index.add("shared", "1.0")
    index.add("shared", "2.0")
    _, resolution = resolve("a", "b")
    assert problem(resolution) == "dependency_conflict"
    for words in ("a 1.0 needs shared>=2", "b 1.0 needs shared<2"):
        assert words in resolution.problem["message"]


def test_packages_that_need_each_other_resolve(index, resolve):
    index.add("a", requires=["b"])
    index.add("b", requires=["a"])
    version, _ = resolve("a")
    names = [row["name"] for row in DependencyLock.objects.get().packages]
    assert (names, bool(version.lock_digest)) == (["a", "b"], True)


def test_a_wheel_that_is_not_what_the_index_says_is_refused(index, resolve):
    index.add("lib")
    index.files["/files/lib-1.0-py3-none-any.whl"] = dependency_wheel("lib", files={"x.py": ""})
    _, resolution = resolve("lib")
    assert problem(resolution) == "dependency_tampered"


def test_metadata_that_hides_a_requirement_of_the_wheel_is_refused(index, resolve):
    index.add("lib", requires=["hidden"], entry={"core-metadata": True})
    index.add_metadata("lib-1.0-py3-none-any.whl", "Name: lib\nVersion: 1.0\n")
    _, resolution = resolve("lib")
    assert problem(resolution) == "dependency_tampered"


def test_a_wheel_for_another_platform_is_refused(index, resolve):
    index.add("lib", tag=FOREIGN_TAG)
    _, resolution = resolve("lib", permissions={"native": True})
    assert problem(resolution) == "dependency_incompatible"


def test_compiled_wheels_need_permission(index, resolve):
    machine_code = {"fast/speed.so": b"\x7fELF" + b"\0" * 60}
    index.add("fast", tag=NATIVE_TAG, files=machine_code)
    _, resolution = resolve("fast")
    assert problem(resolution) == "dependency_native"
    version, _ = resolve("fast", version="1.1.0", permissions={"native": True})
    assert version.lock_digest


def test_machine_code_in_a_wheel_that_claims_to_be_pure_is_found(index, resolve):
    index.add("sly", files={"sly/data.bin": b"\x7fELF" + b"\0" * 60})
    _, resolution = resolve("sly")
    assert problem(resolution) == "native_code"
    assert "sly-1.0-py3-none-any.whl" in resolution.problem["message"]


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("json.py", "shadowed_module"),
        ("hotswap_plugin/__init__.py", "shadowed_module"),
        ("start.pth", "startup_hook"),
        ("sitecustomize.py", "startup_hook"),
    ],
)
def test_wheels_pass_the_refusals_of_artifacts(index, resolve, file, code):
    index.add("lib", files={file: "print('here')\n"})
    _, resolution = resolve("lib")
    assert problem(resolution) == code


def test_a_package_of_a_thousand_files_is_taken(index, resolve):
    index.add("many", files={f"many/data/{number}.dat": "x" for number in range(1100)})
    version, _ = resolve("many")
    assert version.lock_digest


def test_nothing_is_fetched_from_a_host_that_is_not_the_index(index, resolve):
    other = LocalIndex()
    other.add("lib")
    address = f"http://{other.host}/files/lib-1.0-py3-none-any.whl"
    index.add("lib", entry={"url": address})
    _, resolution = resolve("lib")
    assert (problem(resolution), other.asked) == ("index_refused", [])
    other.stop()


def test_a_redirect_to_another_host_is_not_followed(index, resolve):
    other = LocalIndex()
    other.add("lib")
    index.add("lib")
    index.redirects["/index/lib/"] = f"{other.url}lib/"
    _, resolution = resolve("lib")
    assert (problem(resolution), other.asked) == ("index_refused", [])
    other.stop()


def test_a_redirect_within_the_index_is_followed(index, resolve):
    index.add("lib")
    index.redirects["/index/lib/"] = "/index/lib"
    version, _ = resolve("lib")
    assert version.lock_digest


def test_an_index_that_stumbles_is_asked_again(index, resolve):
    index.add("lib")
    index.broken = 1
    version, _ = resolve("lib")
    assert version.lock_digest


def test_credentials_go_to_the_index_and_into_no_message(index, resolve, settings):
    index.add("app", requires=["missing"])
    settings.INDEX_URL = f"http://reader:s3cret@{index.host}/index"
    _, resolution = resolve("app")
    assert all(headers.get("Authorization") for headers in index.seen_headers)
    assert "s3cret" not in f"{resolution.problem}{resolution.progress}"


def test_nothing_of_the_worker_can_be_seen_in_the_jail(index, resolve, monkeypatch, tmp_path):
    """The program is replaced by one that tells what it finds there."""
    program = tmp_path / "inside"
    program.mkdir()
    monkeypatch.setenv("HOTSWAP_CANARY", "from the worker")
    (program / "__main__.py").write_text(
        "import json, os, socket, sys\n"
        "try:\n"
        f"    socket.create_connection(('127.0.0.1', {index.host.partition(':')[2]}), 2)\n"
        "    reached = True\n"
        "except OSError:\n"
        "    reached = False\n"
        "found = [dict(os.environ), reached, os.path.exists('/etc'), os.path.exists('/work')]\n"
        "print(json.dumps({'code': 'told', 'message': json.dumps(found)}))\n"
        "sys.exit(3)\n"
    )
    monkeypatch.setattr("plugins.resolving.jailed.PROGRAM", Path(program))
    _, resolution = resolve("lib")
    assert resolution.problem["message"] == "[{}, false, false, false]"
    assert index.asked == []


@pytest.mark.parametrize(
    "question",
    [
        {"ask": "project", "name": "../../admin"},
        {"ask": "wheel", "url": "http://127.0.0.1:1/x.whl", "sha256": "0" * 64},
        {"ask": "metadata", "url": "file:///etc/passwd", "sha256": ""},
        {"ask": "secrets"},
    ],
)
def test_a_jail_that_was_taken_over_gets_nothing_else(
    index, resolve, monkeypatch, tmp_path, question
):
    program = tmp_path / "inside"
    program.mkdir()
    (program / "__main__.py").write_text(
        "import json, os, time\n"
        f"body = json.dumps({question!r}).encode()\n"
        "os.write(3, len(body).to_bytes(4, 'big') + body)\n"
        "print(os.read(3, 4096))\n"
    )
    monkeypatch.setattr("plugins.resolving.jailed.PROGRAM", Path(program))
    _, resolution = resolve("lib")
    assert resolution.status == "failed"
    assert index.asked == []
    assert "passwd:" not in str(resolution.problem)
