"""SIGKILL at the worst moment: nothing acknowledged is lost, nothing is left half done."""
import sqlite3
import threading

import pytest

from domus.images import arm64_image, definition
from domus.processes import wait_until
from domus.streams import Events


@pytest.fixture
def defined(fresh):
    """An agent of one's own with a domain `web`, stopped. It takes the simulated board a third of a second to build it."""
    boot = {"kernel": fresh.client.upload("k", "kernel", arm64_image()), "cmdline": "sim.create_ms=300"}
    response = fresh.client.post("/api/v1/domains", {"name": "web", "memory_mib": 64, "boot": boot})
    assert response.status == 201, response
    return fresh


def settled(place):
    """The state of `web` once nothing moves."""
    def look():
        response = place.client.get("/api/v1/domains/web")
        state = response.json()["status"]["state"]
        return state in ("running", "stopped", "crashed", "paused") and state
    return wait_until(look, "the domain to be in a state that stays", 60)


@pytest.mark.parametrize("i", range(5))
def test_resource_is_there_when_domusd_is_killed_right_after_the_201(fresh, i):
    api = fresh.client
    for n in range(3):
        response = api.post("/api/v1/volumes", {"name": f"v{i}-{n}", "size": 1 << 20})
        fresh.kill("domusd")
        assert response.status == 201
        fresh.start_domusd()
        again = api.get(response.header("Location"))
        assert again.status == 200 and again.json() == response.json()


def test_change_is_there_when_domusd_is_killed_right_after_the_200(defined):
    response = defined.client.patch("/api/v1/domains/web", {"description": "kept"}, headers={"If-Match": "*"})
    defined.restart_domusd(kill=True)
    again = defined.client.get("/api/v1/domains/web")
    assert again.json()["description"] == "kept" and again.header("ETag") == response.header("ETag")


def test_image_is_there_when_domusd_is_killed_right_after_the_last_byte(fresh):
    image = fresh.client.upload("k", "kernel", arm64_image(1 << 20))
    fresh.restart_domusd(kill=True)
    assert fresh.client.get(f"/api/v1/images/{image}").status == 200
    assert fresh.client.post("/api/v1/domains", definition("web", image)).status == 201


@pytest.mark.parametrize("delay", [0, 0.01, 0.1, 0.3, 0.5])
def test_domusd_killed_in_the_middle_of_a_start(defined, delay):
    api = defined.client
    operation = api.post("/api/v1/domains/web/actions/start").json()
    threading.Event().wait(delay)
    defined.restart_domusd(kill=True)
    ended = api.operation_end(operation["id"])
    assert ended["state"] in ("succeeded", "interrupted"), ended
    state = settled(defined)
    assert state in ("running", "stopped")
    if ended["state"] == "succeeded":
        assert state == "running"
    if state == "stopped":
        api.act("web", "start")
    assert api.state("web") == "running"
    api.act("web", "kill")
    assert api.state("web") == "stopped"


@pytest.mark.parametrize("delay", [0, 0.01, 0.1, 0.3, 0.5])
def test_keeper_killed_in_the_middle_of_a_start(defined, delay):
    api = defined.client
    operation = api.post("/api/v1/domains/web/actions/start").json()
    threading.Event().wait(delay)
    defined.kill("keeper")
    ended = api.operation_end(operation["id"])
    assert ended["state"] in ("succeeded", "failed", "interrupted"), ended
    if ended["state"] == "failed":
        assert ended["error"]["code"] == "keeper.unavailable", ended["error"]
    defined.start_keeper()
    wait_until(lambda: api.get("/readyz").status == 200, "domusd to find the new keeper", 60)
    if settled(defined) != "running":
        api.act("web", "start")
    assert api.state("web") == "running"
    api.act("web", "kill")


def test_both_killed_in_the_middle_of_a_start(defined):
    api = defined.client
    operation = api.post("/api/v1/domains/web/actions/start").json()
    defined.kill("keeper")
    defined.kill("domusd")
    defined.start()
    assert api.operation_end(operation["id"])["state"] in ("succeeded", "interrupted", "failed")
    if settled(defined) != "running":
        api.act("web", "start")
    api.act("web", "kill")


def test_without_keeper_definitions_go_on_and_actions_say_503(defined):
    api = defined.client
    defined.kill("keeper")
    wait_until(lambda: api.get("/readyz").status == 503, "domusd to notice", 30)
    assert api.get("/api/v1/domains").status == 200
    assert api.patch("/api/v1/domains/web", {"description": "x"}, headers={"If-Match": "*"}).status == 200
    response = api.post("/api/v1/domains/web/actions/start")
    assert (response.status, response.code) == (503, "keeper.unavailable")
    defined.start_keeper()
    wait_until(lambda: api.get("/readyz").status == 200, "domusd to find the new keeper", 60)
    api.act("web", "start")


def test_domusd_starts_without_keeper_and_finds_it_later(fresh):
    fresh.stop("domusd")
    fresh.stop("keeper")
    fresh.start_domusd()
    assert fresh.client.get("/api").status == 200
    fresh.start_keeper()
    wait_until(lambda: fresh.client.get("/readyz").status == 200, "domusd to find keeper", 60)


def test_running_domain_is_still_running_after_domusd_was_away(defined):
    api = defined.client
    api.act("web", "start")
    before = api.get("/api/v1/domains/web").json()["status"]
    defined.restart_domusd(kill=True)
    assert settled(defined) == "running"
    assert api.get("/api/v1/domains/web").json()["status"]["domid"] == before["domid"]


def test_domain_that_ended_while_domusd_was_away_is_seen_as_ended(defined):
    api = defined.client
    api.act("web", "start")
    with Events(api) as events:
        start = events.start
    # the simulated board ends with keeper, and its domains with it
    defined.kill("domusd")
    defined.kill("keeper")
    defined.start()
    assert settled(defined) in ("stopped", "crashed")
    with Events(api, last_id=start) as events:
        events.wait(lambda e: e["type"] == "domain.state" and e["resource"] == "domains/web")


def test_database_is_sound_after_many_kills_under_load(fresh):
    api = fresh.client
    acknowledged = []
    for _ in range(5):
        stop = threading.Event()

        def write(worker):
            n = 0
            while not stop.is_set():
                n += 1
                name = f"w{worker}-{len(acknowledged)}-{n}"
                try:
                    response = api.post("/api/v1/volumes", {"name": name, "size": 1 << 20})
                except Exception:  # pylint: disable=broad-except
                    return
                if response.status == 201:
                    acknowledged.append(name)
        threads = [threading.Thread(target=write, args=(w,)) for w in range(3)]
        count = len(acknowledged)
        for t in threads:
            t.start()
        wait_until(lambda: len(acknowledged) >= count + 5, "some volumes to be made", 60, 0.001)
        fresh.kill("domusd")
        stop.set()
        for t in threads:
            t.join()
        fresh.start_domusd()
        names = {v["name"] for v in api.every("/api/v1/volumes", 200)}
        assert set(acknowledged) <= names, sorted(set(acknowledged) - names)
    fresh.stop("domusd")
    file = next(f for f in fresh.state.rglob("*") if f.is_file() and f.read_bytes()[:15] == b"SQLite format 3")
    with sqlite3.connect(file) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
