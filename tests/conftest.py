"""Fixtures for every suite. `agent` is claimed and shared by a file of tests, `fresh` belongs to one test alone."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "lib"))

import pytest  # noqa: E402

from domus import hostagent  # noqa: E402


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Puts the daemons' logs into the report of a test that failed."""
    outcome = yield
    report = outcome.get_result()
    if report.failed and "agent" in getattr(item, "funcargs", {}):
        place = item.funcargs["agent"]
        for name in ("domusd", "keeper"):
            report.sections.append((name, place.log(name)))


@pytest.fixture(scope="module")
def shared_agent():
    """One claimed agent for a file of tests."""
    place = hostagent.HostAgent()
    try:
        place.start()
        place.client.claim(place.claim_code())
        yield place
    finally:
        place.close()


@pytest.fixture
def agent(shared_agent):
    """The file's agent, alive: a test that ended one of its programs without wanting to has failed."""
    yield shared_agent
    assert shared_agent.domusd.poll() is None, "domusd died:\n" + shared_agent.log("domusd")
    assert shared_agent.keeper.poll() is None, "keeper died:\n" + shared_agent.log("keeper")


@pytest.fixture
def api(agent):
    """The administrator's client on the file's agent."""
    return agent.client
