import pytest

from tests.end_to_end.world import World


@pytest.fixture
def world(platform_scope, processes):
    """People, a plugin and tenants; nothing runs yet."""
    return World(processes)


@pytest.fixture
def running(world):
    """The same with every process running and 1.0.0 serving everybody."""
    world.start("i-1", "i-2")
    assert world.run(world.publish("1.0.0")).status == "completed"
    return world
