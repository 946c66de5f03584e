"""The processes that other tests start are real ones."""

import pytest


@pytest.mark.django_db(transaction=True)
def test_web_worker_and_beat_start_on_this_tests_servers(processes):
    web = processes.start_web()
    started = [web, processes.start_worker(), processes.start_beat()]
    assert web.get("/healthz").status_code == 200
    assert all(process.is_running() for process in started)


@pytest.mark.django_db(transaction=True)
def test_a_killed_process_is_gone_and_can_be_started_again(processes):
    first = processes.start_web()
    first.kill()
    assert not first.is_running()
    assert processes.start_web().is_ready()
