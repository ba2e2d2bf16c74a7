"""Fixtures of the system tests: one boot for all of them, in the order of the files' names."""
import pytest

from domus import appliance as place
from domus.images import definition


@pytest.fixture(scope="session")
def appliance():
    """The appliance: booted fresh, claimed by the code in its URL, stopped at the end."""
    there = place.Appliance()
    there.stop()
    there.run(fresh=True)
    try:
        there.client.claim(there.claim_code())
        yield there
    finally:
        there.stop()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Puts the end of the console into the report of a test that failed."""
    outcome = yield
    report = outcome.get_result()
    if report.failed and "appliance" in getattr(item, "funcargs", {}):
        there = item.funcargs["appliance"]
        report.sections.append(("console", there.console()))


@pytest.fixture
def api(appliance):
    """The administrator's client."""
    return appliance.client


@pytest.fixture(scope="session")
def images(appliance):
    """Ids of what guests boot: Debian's kernel, the test guest's initrd, a kernel that does nothing and one that crashes."""
    upload = appliance.client.upload
    return {"kernel": upload("debian kernel", "kernel", place.KERNEL.read_bytes()),
            "initrd": upload("test initrd", "initrd", (place.GUESTS / "initrd.gz").read_bytes()),
            "idle": upload("idle kernel", "kernel", (place.GUESTS / "idle").read_bytes()),
            "crash": upload("crashing kernel", "kernel", (place.GUESTS / "crash").read_bytes())}


@pytest.fixture
def define(api, images):
    """Defines a Debian guest with fields of its own; what a test defined is killed and deleted after it."""
    made = []

    def debian(name, **fields):
        body = definition(name, images["kernel"], memory_mib=256)
        body["boot"].update(initrd=images["initrd"], cmdline="console=hvc0 quiet")
        body.update(fields)
        response = api.post("/api/v1/domains", body)
        assert response.status == 201, response
        made.append(name)
        return name
    yield debian
    for name in made:
        response = api.get(f"/api/v1/domains/{name}")
        if response.status == 404:
            continue
        if response.json()["status"]["state"] not in ("stopped", "crashed"):
            api.act(name, "kill")
        assert api.delete(f"/api/v1/domains/{name}").status == 204
