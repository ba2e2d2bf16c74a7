"""Actions and operations: what is asked for twice happens once, what cannot be is 409, and every operation ends."""
import pytest

from domus.images import definition
from domus.streams import Events

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
    import threading
    from domus.images import arm64_image
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
    from domus.images import arm64_image
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
    from domus.processes import open_files, wait_until
    api.act(domain, "start")
    api.act(domain, "kill")
    before = [open_files(p.pid) for p in (agent.domusd, agent.keeper)]
    for _ in range(25):
        api.act(domain, "start")
        api.act(domain, "kill")
    wait_until(lambda: all(open_files(p.pid) <= b + 2 for p, b in zip((agent.domusd, agent.keeper), before)),
               "descriptors of ended domains to be closed", 30)
