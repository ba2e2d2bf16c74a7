"""Actions and operations: what is asked for twice happens once, what cannot be is 409, and every operation ends."""
import threading

import pytest

from domus.images import arm64_image, definition
from domus.processes import open_files, wait_until
from domus.streams import Console, Events


ACTIONS = ("start", "shutdown", "reboot", "kill", "pause", "resume")


def post(api, name, action, **kw):
    return api.post(f"/api/v1/domains/{name}/actions/{action}", **kw)


def test_start_is_an_operation_that_ends_with_a_running_domain(api, domain):
    response = post(api, domain, "start")
    operation = response.json()
    assert operation["kind"] == "domain.start" and operation["target"] == f"domains/{domain}"
    assert operation["created_by"] == "admin"
    ended = api.finished(response)
    assert ended["state"] == "succeeded" and ended["error"] is None
    assert ended["created"] <= ended["started"] <= ended["finished"]
    status = api.get(f"/api/v1/domains/{domain}").json()["status"]
    assert status["state"] == "running" and status["domid"] > 0


def test_domid_is_null_when_stopped(api, domain):
    api.act(domain, "start")
    api.act(domain, "kill")
    status = api.get(f"/api/v1/domains/{domain}").json()["status"]
    assert status["state"] == "stopped" and status["domid"] is None


def test_status_says_since_when(api, domain):
    before = api.get(f"/api/v1/domains/{domain}").json()["status"]["since"]
    api.act(domain, "start")
    assert api.get(f"/api/v1/domains/{domain}").json()["status"]["since"] > before


@pytest.mark.parametrize("before,action,state", [
    ([], "shutdown", "stopped"), ([], "kill", "stopped"), (["start"], "start", "running"), (["start"], "resume", "running"),
    (["start", "pause"], "pause", "paused")])
def test_what_is_already_so_is_200(api, domain, before, action, state):
    for step in before:
        api.act(domain, step)
    response = post(api, domain, action)
    assert response.status == 200, response
    assert response.json()["name"] == domain and response.json()["status"]["state"] == state


@pytest.mark.parametrize("before,action,code", [
    ([], "pause", "domain.not_running"), ([], "resume", "domain.not_running"), ([], "reboot", "domain.not_running"),
    (["start", "pause"], "start", "domain.paused"), (["start", "pause"], "shutdown", "domain.paused"),
    (["start", "pause"], "reboot", "domain.paused")])
def test_what_the_state_does_not_allow_is_409(api, domain, before, action, code):
    for step in before:
        api.act(domain, step)
    response = post(api, domain, action)
    assert (response.status, response.code) == (409, code)


@pytest.mark.parametrize("steps,state", [
    (["start"], "running"), (["start", "pause"], "paused"), (["start", "pause", "resume"], "running"), (["start", "shutdown"], "stopped"),
    (["start", "kill"], "stopped"), (["start", "pause", "kill"], "stopped"), (["start", "reboot"], "running"),
    (["start", "kill", "start"], "running"), (["start", "shutdown", "start"], "running")])
def test_actions_lead_to_their_state(api, domain, steps, state):
    for step in steps:
        api.act(domain, step)
    assert api.state(domain) == state


def test_reboot_gives_a_new_domid(api, domain):
    api.act(domain, "start")
    before = api.get(f"/api/v1/domains/{domain}").json()["status"]["domid"]
    api.act(domain, "reboot")
    assert api.get(f"/api/v1/domains/{domain}").json()["status"]["domid"] != before


def test_start_twice_at_once_starts_once(api, domain):
    first, second = post(api, domain, "start"), post(api, domain, "start")
    assert first.status == 202 and second.status == 200
    assert second.json()["status"]["state"] in ("starting", "running")
    assert api.finished(first)["state"] == "succeeded"


def test_same_key_starts_once_and_names_the_same_operation(api, domain):
    headers = {"Idempotency-Key": f"start-{domain}"}
    first, second = post(api, domain, "start", headers=headers), post(api, domain, "start", headers=headers)
    assert (first.status, second.status) == (202, 202)
    assert first.header("Location") == second.header("Location")
    api.finished(first)
    assert post(api, domain, "kill", headers=headers).status == 422


@pytest.mark.parametrize("action", ACTIONS)
def test_action_on_an_unknown_domain_is_404(api, action):
    response = post(api, "nothing", action)
    assert (response.status, response.code) == (404, "domain.unknown")


def test_action_takes_no_body_but_an_empty_object(api, domain):
    response = post(api, domain, "start", json={"force": True})
    assert (response.status, response.pointers()) == (422, {"/force": "unknown"})
    assert api.state(domain) == "stopped"
    assert api.finished(post(api, domain, "start", json={}))["state"] == "succeeded"


def test_wait_answers_when_it_ends(api, domain):
    operation = post(api, domain, "start").json()
    ended = api.get(f"/api/v1/operations/{operation['id']}?wait=60").json()
    assert ended["state"] == "succeeded"


def test_wait_on_an_ended_operation_answers_at_once(api, domain):
    operation = api.act(domain, "start")
    for _ in range(20):
        assert api.get(f"/api/v1/operations/{operation['id']}?wait=60").json()["state"] == "succeeded"


def test_many_waiters_do_not_stop_the_service(api, domain):
    operation = post(api, domain, "start").json()
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(api.get(f"/api/v1/operations/{operation['id']}?wait=60").json()["state"]))
               for _ in range(24)]
    for t in threads:
        t.start()
    assert api.get("/healthz").status == 200
    assert api.upload("meanwhile", "kernel", arm64_image())
    for t in threads:
        t.join()
    assert answers == ["succeeded"] * 24


def test_unknown_operation_is_404(api):
    for method in ("GET", "DELETE"):
        response = api.request(method, "/api/v1/operations/nothing")
        assert (response.status, response.code) == (404, "operation.unknown")


def test_ended_operation_cannot_be_cancelled(api, domain):
    operation = api.act(domain, "start")
    response = api.request("DELETE", f"/api/v1/operations/{operation['id']}")
    assert (response.status, response.code) == (409, "operation.not_cancellable")


def test_copy_of_an_image_can_be_cancelled(api):
    image = api.upload("large", "disk", bytes(64 << 20))
    response = api.post("/api/v1/volumes", {"name": "cancelled", "image": image, "size": 1 << 30})
    operation = response.json()
    answer = api.request("DELETE", f"/api/v1/operations/{operation['id']}")
    ended = api.operation_end(operation["id"])
    if answer.status == 202:
        assert ended["state"] in ("cancelled", "succeeded")
    else:
        assert (answer.status, ended["state"]) == (409, "succeeded")
    names = [v["name"] for v in api.every("/api/v1/volumes")]
    assert ("cancelled" in names) == (ended["state"] == "succeeded")


def test_operations_are_listed_newest_first(api, domain):
    ids = [api.act(domain, action)["id"] for action in ("start", "pause", "resume", "kill")]
    listed = [o["id"] for o in api.every("/api/v1/operations", 3)]
    assert listed[:4] == ids[::-1]
    assert len(listed) == len(set(listed))


def test_operation_survives_a_restart(fresh):
    api = fresh.client
    api.post("/api/v1/domains", definition("kept", api.upload("k", "kernel", arm64_image())))
    operation = api.act("kept", "start")
    fresh.restart_domusd()
    assert api.get(f"/api/v1/operations/{operation['id']}").json() == operation
    assert api.state("kept") == "running"


def test_changed_definition_of_a_running_domain_counts_at_its_next_start(api, domain):
    api.act(domain, "start")
    response = api.patch(f"/api/v1/domains/{domain}", {"memory_mib": 80}, headers={"If-Match": "*"})
    assert response.status == 200 and response.json()["memory_mib"] == 80
    api.act(domain, "kill")
    api.act(domain, "start")


def test_domains_that_do_not_fit_together_fail_with_the_reason(api, kernel):
    total = api.get("/api/v1/system").json()["memory"]["total_mib"]
    names = []
    ended = None
    for i in range(4):
        name = f"large-{i}"
        response = api.post("/api/v1/domains", definition(name, kernel, memory_mib=total * 2 // 5))
        assert response.status == 201, response
        names.append(name)
        ended = api.finished(post(api, name, "start"))
        if ended["state"] != "succeeded":
            break
    assert ended["state"] == "failed"
    assert ended["error"]["code"] == "memory.insufficient"
    assert api.state(names[-1]) == "stopped"
    for name in names:
        if api.state(name) != "stopped":
            api.act(name, "kill")
        api.delete(f"/api/v1/domains/{name}")
    free = api.get("/api/v1/system").json()["memory"]["free_mib"]
    assert free > total // 2


def test_memory_is_free_again_after_a_kill(api, domain):
    before = api.get("/api/v1/system").json()["memory"]["free_mib"]
    api.act(domain, "start")
    assert api.get("/api/v1/system").json()["memory"]["free_mib"] < before
    api.act(domain, "kill")
    assert api.get("/api/v1/system").json()["memory"]["free_mib"] == before


def test_every_action_is_seen_as_events(api, domain):
    with Events(api) as events:
        operation = api.act(domain, "start")["id"]
        created = events.wait(lambda e: e["type"] == "operation.created" and e["operation"] == operation)
        assert created["actor"] == "admin" and created["resource"] == f"operations/{operation}"
        assert created["data"] == {"kind": "domain.start", "state": "pending", "target": f"domains/{domain}"}
        events.wait(lambda e: e["type"] == "operation.updated" and e["operation"] == operation and e["data"]["state"] == "succeeded")
        states = [e["data"]["state"] for e in events.seen if e["type"] == "domain.state"]
        assert states == ["starting", "running"]


def test_many_cycles_leave_nothing_behind(agent, api, domain):
    api.act(domain, "start")
    api.act(domain, "kill")
    before = [open_files(p.pid) for p in (agent.domusd, agent.keeper)]
    for _ in range(25):
        api.act(domain, "start")
        api.act(domain, "kill")
    wait_until(lambda: all(open_files(p.pid) <= b + 2 for p, b in zip((agent.domusd, agent.keeper), before)),
               "descriptors of ended domains to be closed", 30)


# what a simulated guest can be told to do on its command line: agent/keeper/machine_sim_options.h

def define(api, kernel, name, cmdline):
    body = definition(name, kernel)
    body["boot"]["cmdline"] = cmdline
    assert api.post("/api/v1/domains", body).status == 201


def remove(api, name):
    if api.state(name) not in ("stopped", "crashed"):
        api.act(name, "kill")
    assert api.delete(f"/api/v1/domains/{name}").status == 204


def test_crash_is_an_event_with_a_reason(api, kernel):
    define(api, kernel, "crasher", "sim.crash_ms=50")
    with Events(api) as events:
        api.finished(post(api, "crasher", "start"))
        event = events.wait_state("crasher", "crashed")
    assert event["actor"] == "system" and event["data"]["reason"]
    status = api.get("/api/v1/domains/crasher").json()["status"]
    assert status["state"] == "crashed" and status["reason"] and status["domid"] is None
    remove(api, "crasher")


def test_crashed_domain_gives_its_memory_back(api, kernel):
    free = api.get("/api/v1/system").json()["memory"]["free_mib"]
    define(api, kernel, "crasher", "sim.crash_ms=50")
    with Events(api) as events:
        api.finished(post(api, "crasher", "start"))
        events.wait_state("crasher", "crashed")
    wait_until(lambda: api.get("/api/v1/system").json()["memory"]["free_mib"] == free, "its memory", 30)
    remove(api, "crasher")


def test_crashed_domain_starts_again(api, kernel):
    define(api, kernel, "crasher", "sim.crash_ms=50")
    for _ in range(3):
        with Events(api) as events:
            api.finished(post(api, "crasher", "start"))
            events.wait_state("crasher", "crashed")
    assert post(api, "crasher", "kill").status in (200, 202)
    remove(api, "crasher")


def test_refused_start_fails_with_the_hypervisors_reason(api, kernel):
    define(api, kernel, "refused", "sim.fail")
    with Events(api) as events:
        ended = api.finished(post(api, "refused", "start"))
        assert ended["state"] == "failed"
        assert ended["error"]["code"] == "domain.start_failed"
        assert ended["error"]["instance"] == f"/api/v1/operations/{ended['id']}"
        events.wait_state("refused", "stopped")
    assert api.state("refused") == "stopped"
    remove(api, "refused")


def test_kill_ends_a_shutdown_that_waits_for_a_deaf_guest(api, kernel):
    define(api, kernel, "deaf", "sim.deaf")
    api.act("deaf", "start")
    waiting = post(api, "deaf", "shutdown").json()
    assert api.state("deaf") == "stopping"
    assert post(api, "deaf", "shutdown").status == 200
    response = post(api, "deaf", "start")
    assert (response.status, response.code) == (409, "domain.busy")
    api.act("deaf", "kill")
    assert api.operation_end(waiting["id"])["state"] in ("succeeded", "cancelled", "failed")
    assert api.state("deaf") == "stopped"
    remove(api, "deaf")


def test_shutdown_of_a_deaf_guest_can_be_cancelled(api, kernel):
    define(api, kernel, "deaf-2", "sim.deaf")
    api.act("deaf-2", "start")
    waiting = post(api, "deaf-2", "shutdown").json()
    assert api.get(f"/api/v1/operations/{waiting['id']}").json()["cancellable"] is True
    assert api.request("DELETE", f"/api/v1/operations/{waiting['id']}").status == 202
    assert api.operation_end(waiting["id"])["state"] == "cancelled"
    assert api.state("deaf-2") == "running"
    remove(api, "deaf-2")


def test_slow_start_shows_starting_and_can_be_killed(api, kernel):
    define(api, kernel, "slow", "sim.create_ms=1500")
    start = post(api, "slow", "start").json()
    assert api.state("slow") == "starting"
    response = api.delete("/api/v1/domains/slow")
    assert (response.status, response.code) == (409, "domain.running")
    api.act("slow", "kill")
    assert api.operation_end(start["id"])["state"] in ("succeeded", "cancelled", "failed")
    assert api.state("slow") == "stopped"
    remove(api, "slow")


def test_guest_that_powers_off_or_reboots_itself(api, domain):
    api.act(domain, "start")
    first = api.get(f"/api/v1/domains/{domain}").json()["status"]["domid"]
    with Events(api) as events, Console(api, domain) as console:
        console.expect(rb"~ # ")
        console.send(b"reboot\r")
        console.expect(rb"GUEST-READY\r\n~ # ")
        events.wait_state(domain, "running")
        assert api.get(f"/api/v1/domains/{domain}").json()["status"]["domid"] != first
        console.send(b"poweroff\r")
        event = events.wait_state(domain, "stopped")
    assert event["actor"] == "system"


@pytest.mark.machine("foreign=stranger")
def test_domain_that_is_not_defined_is_reported(fresh):
    with Events(fresh.client, after=0) as events:
        event = events.wait(lambda e: e["type"] == "domain.unknown")
    assert event["data"]["name"] == "stranger"
    assert fresh.client.get("/api/v1/domains/stranger").status == 404
    assert any("stranger" in w for w in fresh.client.get("/api/v1/system").json()["warnings"])


@pytest.mark.machine("create_ms=1000")
def test_many_domains_start_at_once_without_holding_up_the_service(fresh):
    api = fresh.client
    kernel_id = api.upload("k", "kernel", arm64_image())
    operations = []
    for i in range(12):
        api.post("/api/v1/domains", definition(f"d{i}", kernel_id))
        operations.append(post(api, f"d{i}", "start").json()["id"])
    assert api.get("/api/v1/domains").status == 200
    assert [api.operation_end(o)["state"] for o in operations] == ["succeeded"] * 12
    free = api.get("/api/v1/system").json()["memory"]["free_mib"]
    total = api.get("/api/v1/system").json()["memory"]["total_mib"]
    assert total - free >= 12 * 64
