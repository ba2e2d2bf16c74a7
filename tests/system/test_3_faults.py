"""kill -9 in Dom0 in the middle of a start: the service comes back, the state is true, nothing is left half done."""
import pytest

from domus.processes import wait_until
from domus.streams import Console


def pid(appliance, program):
    """The program's process in Dom0, None while it is away."""
    status, text = appliance.dom0_status(f"busybox pidof {program}")
    return int(text.split()[0]) if status == 0 and text.split() else None


def kill_during(appliance, program):
    """SIGKILL to a program of Dom0; waits until its supervisor has started another."""
    before = pid(appliance, program)
    assert before, f"{program} does not run"
    appliance.dom0(f"kill -9 {before}")
    wait_until(lambda: (now := pid(appliance, program)) and now != before, f"{program} to be started again", 120, 0.5)


def answers(api):
    """True when the API answers and everything behind it does."""
    try:
        return api.get("/readyz").status == 200
    except OSError:
        return False


def settled(api, name):
    """The domain's state once it stays."""
    def look():
        state = api.state(name)
        return state in ("running", "stopped", "crashed", "paused") and state
    return wait_until(look, f"{name} to be in a state that stays", 180, 0.5)


def usable(api, name):
    """The domain can be brought to a shell, from whatever state the fault has left it in."""
    if settled(api, name) != "running":
        api.act(name, "start")
    with Console(api, name) as console:
        console.expect(rb"guest: ready", 300)
        console.send(b"\r")
        console.command("true", 180)
    api.act(name, "shutdown")
    assert api.state(name) == "stopped"


@pytest.mark.parametrize("program", ["domusd", "keeper", "xenconsoled"])
def test_killed_in_the_middle_of_a_start(appliance, api, define, program):
    define(f"fault-{program}")
    free = api.get("/api/v1/system").json()["memory"]["free_mib"]
    operation = api.post(f"/api/v1/domains/fault-{program}/actions/start").json()
    kill_during(appliance, program)
    wait_until(lambda: answers(api), "the API to answer", 180, 0.5)
    ended = api.operation_end(operation["id"])
    assert ended["state"] in ("succeeded", "failed", "interrupted"), ended
    usable(api, f"fault-{program}")
    wait_until(lambda: api.get("/api/v1/system").json()["memory"]["free_mib"] >= free - 4, "its memory to be free again", 60, 1)
    # one that dies is gone as soon as xenconsoled and the back ends have given its frames back, after the API's answer
    wait_until(lambda: not [line for line in appliance.dom0("xl list").splitlines()[2:] if line.strip()], "no domain to be left over", 60, 0.5)


@pytest.mark.parametrize("program", ["domusd", "keeper", "xenconsoled"])
def test_running_guest_outlives_a_killed_service(appliance, api, define, program):
    define(f"lives-{program}")
    api.act(f"lives-{program}", "start")
    with Console(api, f"lives-{program}") as console:
        console.expect(rb"guest: ready")
        console.command("echo before the fault > /tmp/kept")
    domid = api.get(f"/api/v1/domains/lives-{program}").json()["status"]["domid"]
    kill_during(appliance, program)
    wait_until(lambda: answers(api), "the API to answer", 180, 0.5)
    assert settled(api, f"lives-{program}") == "running"
    assert api.get(f"/api/v1/domains/lives-{program}").json()["status"]["domid"] == domid
    with Console(api, f"lives-{program}") as console:
        console.send(b"\r")
        assert "before the fault" in console.command("cat /tmp/kept", 180)


def test_killed_session_and_token_survive(appliance, api):
    cookie, _ = api.login()
    kill_during(appliance, "domusd")
    wait_until(lambda: answers(api), "the API to answer", 180, 0.5)
    assert api.get("/api/v1/sessions/current", headers={"Cookie": cookie}, auth=False).status == 200
    assert api.get("/api/v1/system").status == 200
