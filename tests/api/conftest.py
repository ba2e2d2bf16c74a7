"""Fixtures of the API tests: agents of one's own, small images, domains that go away again."""
import itertools

import pytest

from domus import hostagent
from domus.images import arm64_image, definition

numbers = itertools.count(1)


@pytest.fixture
def unclaimed(request):
    """An agent of this test's own that nobody has claimed. @pytest.mark.machine("cpus=2") sets options of its board."""
    marker = request.node.get_closest_marker("machine")
    place = hostagent.HostAgent(marker.args[0] if marker else "")
    try:
        yield place.start()
    finally:
        place.close()


@pytest.fixture
def fresh(unclaimed):
    """An agent of this test's own, claimed; the test may kill and restart it."""
    unclaimed.client.claim(unclaimed.claim_code())
    return unclaimed


@pytest.fixture(scope="module")
def kernel(shared_agent):
    """The id of a kernel image on the file's agent."""
    return shared_agent.client.upload("kernel", "kernel", arm64_image())


@pytest.fixture
def domain(api, kernel):
    """The name of a small domain, stopped, deleted after the test."""
    name = f"domain-{next(numbers)}"
    response = api.post("/api/v1/domains", definition(name, kernel))
    assert response.status == 201, response
    yield name
    response = api.get(f"/api/v1/domains/{name}")
    if response.status == 200:
        if response.json()["status"]["state"] not in ("stopped", "crashed"):
            api.act(name, "kill")
        assert api.delete(f"/api/v1/domains/{name}").status == 204
