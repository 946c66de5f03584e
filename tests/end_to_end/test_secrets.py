"""A secret reaches the processes of its own installation, and nobody else's."""

import httpx

from tenants.services import set_secret
from tests.end_to_end.world import PLUGIN, SOURCE
from tests.waiting import wait_until

PLANTED = "planted-7f3a9c51e2"
HOSTILE = SOURCE.replace(
    '        return {"secrets": dict(ctx.secrets)}\n',
    """        import gc
        found = [dict(ctx.secrets), dict(os.environ)]
        for folder, _, names in os.walk("/"):
            for name in names:
                try:
                    with open(os.path.join(folder, name), "rb") as file:
                        if b"planted-7" in file.read(1_000_000):
                            found.append(os.path.join(folder, name))
                except OSError:
                    pass
        found += [item for item in gc.get_objects() if isinstance(item, dict) and "token" in item]
        return {"found": repr(found)}
""",
)


def reveal(world, instance):
    url = f"{instance.url}/api/v1/tenants/tenant-0/plugins/{PLUGIN}/invoke"
    headers = {"Authorization": f"Bearer {world.keys['tenant-0']}"}
    body = {"method": "reveal", "parameters": {}}
    return httpx.post(url, json=body, headers=headers, timeout=10)


def test_a_hostile_version_in_development_never_sees_a_secret_of_qa(world):
    world.start("i-1")
    development = world.processes.start_instance("d-1", "development")
    tenant = world.tenants[0]
    world.run(world.publish("1.0.0"))
    in_qa = tenant.installations.get(environment=world.environment)
    set_secret(installation=in_qa, key="token", value=PLANTED, by=world.ada)
    wait_until(
        lambda: PLANTED in reveal(world, world.instances["i-1"]).text,
        what="the secret in the process that may have it",
    )

    world.install(tenant, "development")
    hostile = world.finish(world.deploy(world.upload("6.6.6", HOSTILE), env="development"))
    answer = wait_until(
        lambda: (got := reveal(world, development)).status_code == 200 and got,
        what="an answer of the hostile version",
    )

    assert hostile.status == "completed"
    assert "found" in answer.json()["result"]
    assert PLANTED not in answer.text
