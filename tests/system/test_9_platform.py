"""Platform rails on QEMU's board: the test image of the hypervisor has the system controller that the board lacks. Three views of
each device must agree: the API, the device's own registers as Dom0 sees them (unmapped in stage 2 when its rail is off), and the
simulated firmware's lines on the console. The appliance is one of its own, booted in the place of the other tests'."""
import pytest

from domus import appliance as place
from domus.contract import ROOT
from domus.dom0 import Dom0
from domus.images import definition
from domus.platform import FWCFG, GROUP, OURS, OWN, REGISTER, RESOURCES, SPARE, TRANSPORT, Simulator
from domus.power import alerts, device, devices, history, power, violations, wait_power
from domus.processes import wait_until

OFF = ("off", None, False)


class Platform:
    """The appliance, and its devices of the SoC from three sides."""

    def __init__(self, there):
        self.there, self.api = there, there.client
        self.at_ready = Simulator(None, there.run_dir / "console.log").powered()
        self.ready = {i: power(self.api, i) for i in REGISTER}
        self.dom0 = Dom0(there, {"registers": (place.GUESTS / "registers").read_bytes()})
        self.sim = Simulator(self.dom0, there.run_dir / "console.log")
        self.kernel = {name: self.api.upload(name, "kernel", (place.GUESTS / name).read_bytes()) for name in ("idle", "crash")}

    def domain(self, name, *ids, kernel="idle"):
        """Defines a domain that owns the devices."""
        response = self.define(name, *ids, kernel=kernel)
        assert response.status == 201, response
        return name

    def define(self, name, *ids, kernel="idle"):
        """The answer to a definition."""
        return self.api.post("/api/v1/domains", definition(name, self.kernel[kernel], memory_mib=32, devices=list(ids)))

    def start(self, name):
        """The ended operation."""
        return self.api.finished(self.api.post(f"/api/v1/domains/{name}/actions/start"))

    def view(self, id_):
        """(what the API says, the register or None, has it power)."""
        return self.views(id_)[id_]

    def views(self, *ids):
        """{device: its view}."""
        words = self.sim.registers(*(REGISTER[i][0] for i in ids))
        return {i: (power(self.api, i), word, set(RESOURCES[i]) <= self.sim.powered()) for i, word in zip(ids, words)}

    def on(self, id_):
        """The three views of a device that is on."""
        return "on", REGISTER[id_][1], True

    def check(self):
        """The rule: what a domain holds is on from all sides, everything else off from all sides."""
        assert violations(self.api) == []
        found = devices(self.api, "&kind=platform")
        held = {i for i in OURS if found[i]["power"]["domain"]}
        assert self.views(*OURS) == {i: self.on(i) if i in held else OFF for i in OURS}
        lit = {r for i in held for r in RESOURCES[i]}
        assert self.sim.powered() & {r for i in OURS for r in RESOURCES[i]} == lit

    def ready_again(self):
        """The API and all behind it answer."""
        def look():
            try:
                return self.api.get("/readyz").status == 200
            except OSError:
                return False
        wait_until(look, "the API to be ready", 120, 0.2)

    def pid(self, program):
        """A program's process in Dom0, "" while it is away."""
        return self.dom0.status(f"busybox pidof {program}")[1].strip()

    def kill(self, program, when="true"):
        """SIGKILL to a program of Dom0, there as soon as a command has ended; returns its process."""
        pid = self.pid(program)
        self.dom0.run(f"({when}; kill -9 {pid}) >/dev/null 2>&1 &")
        return pid

    def violations_counted(self):
        """The counter of the metrics."""
        lines = self.api.get("/metrics").body.decode().splitlines()
        return int(next(line for line in lines if line.startswith("domus_rail_violations_total ")).split()[1])


@pytest.fixture(scope="module", name="appliance")
def appliance_fixture():
    """An appliance on the test image, with the changed device tree; the other tests' is stopped."""
    there = place.Appliance()
    there.stop()
    there.run(fresh=True, HYPERVISOR=place.BUILD / "hypervisor" / "simulated", BOARD_TREE=ROOT / "tests/system/guests/scu/tree")
    try:
        there.client.claim(there.claim_code())
        yield there
    finally:
        there.stop()


@pytest.fixture(scope="module", name="board")
def board_fixture(appliance):
    """The platform, with Dom0's shell."""
    found = Platform(appliance)
    yield found
    found.dom0.close()


@pytest.fixture(name="p")
def platform_fixture(board):
    """The board; after the test no fault is left, its domains are deleted and everything is off from all sides."""
    yield board
    board.sim.reset()
    for d in board.api.get("/api/v1/domains?limit=200").json()["items"]:
        if d["status"]["state"] not in ("stopped", "crashed"):
            board.api.act(d["name"], "kill")
        assert board.api.delete(f"/api/v1/domains/{d['name']}").status == 204
    wait_until(lambda: not alerts(board.api) and not violations(board.api), "the alerts to clear")
    board.check()
    assert board.sim.registers(Simulator.BROKEN) == [0]


def test_what_nobody_owns_is_off_before_the_appliance_is_ready(p):
    # the boot loader left everything on, the hypervisor switched it off before Dom0 ran: keeper found it so (cause none)
    assert not p.at_ready & {r for i in OURS for r in RESOURCES[i]}
    assert set(RESOURCES[OWN]) <= p.at_ready
    assert p.ready == {**{i: "off" for i in OURS}, OWN: "on"}
    p.check()
    assert p.view(OWN) == p.on(OWN)
    for id_ in OURS:
        assert device(p.api, id_)["gate"] == "platform" and history(p.api, id_)[-1] == ("off", "none", None, "system")


def test_what_the_appliance_needs_and_half_of_a_group_are_refused(p):
    assert "device tree gives it to the appliance" in device(p.api, OWN)["needed"]
    response = p.define("greedy", TRANSPORT, OWN)
    assert (response.status, response.pointers()) == (422, {"/devices/1": "needed"})
    response = p.api.patch(f"/api/v1/devices/{OWN}", {"policy": {"always_on": True, "reason": "no"}}, headers={"If-Match": "*"})
    assert (response.status, response.code) == (409, "device.needed")
    for half in GROUP:
        assert device(p.api, half)["group"] == GROUP[0] and "page of registers" in device(p.api, half)["group_reason"]
        response = p.define("greedy", half)
        assert (response.status, response.pointers()) == (422, {"/devices/0": "group"})


def test_on_before_the_domain_runs_and_off_with_the_answer_to_its_kill(p):
    name = p.domain("owner", TRANSPORT, *GROUP)
    assert p.start(name)["state"] == "succeeded"
    status = p.api.get(f"/api/v1/domains/{name}").json()["status"]
    for id_ in (TRANSPORT, *GROUP):
        found = device(p.api, id_)["power"]
        assert found["domain"] == name and found["since"] <= status["since"], (found, status)
    p.check()
    text = p.api.get("/metrics").body.decode()
    assert f'domus_rail_on{{device="{TRANSPORT}",kind="platform"}} 1\n' in text
    assert f'domus_rail_on{{device="{SPARE}",kind="platform"}} 0\n' in text
    p.api.act(name, "kill")
    p.check()
    assert [h[:3] for h in history(p.api, TRANSPORT)[:2]] == [("off", "end", name), ("on", "start", name)]


def test_off_after_a_crash_and_after_a_destroy_behind_the_agents_back(p):
    name, other = p.domain("crashing", FWCFG, kernel="crash"), p.domain("destroyed", TRANSPORT)
    p.start(name)
    assert p.start(other)["state"] == "succeeded"
    wait_until(lambda: p.api.state(name) == "crashed" and power(p.api, FWCFG) == "off", "the crash")
    p.check()
    assert power(p.api, TRANSPORT) == "on"
    p.dom0.run(f"xl destroy {other}")
    wait_power(p.api, TRANSPORT, "off")
    wait_until(lambda: p.api.state(other) in ("stopped", "crashed"), "the domain to be told as gone")
    p.check()


@pytest.mark.parametrize("program", ["keeper", "domusd"])
def test_a_killed_service_leaves_a_living_domain_its_device(p, program):
    name = p.domain("lives", TRANSPORT)
    p.start(name)
    pid = p.kill(program)
    wait_until(lambda: p.pid(program) not in ("", pid), "the service to be back")
    p.ready_again()
    assert p.api.state(name) == "running" and p.view(TRANSPORT) == p.on(TRANSPORT)
    p.check()


@pytest.mark.parametrize("program,action,state", [("keeper", "start", 0), ("keeper", "kill", 1), ("domusd", "start", 0)])
def test_a_service_killed_between_wanted_and_read_back(p, program, action, state):
    name = p.domain("between", TRANSPORT)
    if action == "kill":
        p.start(name)
    p.sim.order(Simulator.LATENCY, 0, RESOURCES[TRANSPORT][0], 25000)
    # when the firmware has switched the first resource; it answers 25 ms later, and there are more messages to come
    pid = p.kill(program, f"/run/registers until {Simulator.POWERED} {state}")
    operation = p.api.post(f"/api/v1/domains/{name}/actions/{action}").json()
    wait_until(lambda: p.pid(program) not in ("", pid), "the service to be back")
    p.ready_again()
    p.api.operation_end(operation["id"])
    wait_until(lambda: p.api.state(name) in ("running", "stopped", "crashed"), "a state that stays")
    wait_until(lambda: not violations(p.api), "the rule to hold")
    p.check()


def test_a_rail_that_is_stuck_on_is_given_to_nobody_else(p):
    name = p.domain("first", TRANSPORT)
    p.start(name)
    p.sim.fault(Simulator.STUCK_ON, RESOURCES[TRANSPORT][1])
    ended = p.api.act(name, "kill")
    assert any(TRANSPORT in w for w in ended["warnings"]), ended
    # on it is, and said so; but nobody can reach it
    assert p.view(TRANSPORT)[:2] == ("fault", None) and RESOURCES[TRANSPORT][1] in p.sim.powered()
    assert alerts(p.api) == {("rail.fault", f"devices/{TRANSPORT}")}
    assert history(p.api, TRANSPORT)[0][:3] == ("fault", "end", name)
    assert p.api.patch(f"/api/v1/domains/{name}", {"devices": []}, headers={"If-Match": "*"}).status == 200
    response = p.define("second", TRANSPORT)
    assert (response.status, response.pointers()) == (422, {"/devices/0": "fault"})
    p.sim.fault(Simulator.FINE)
    wait_power(p.api, TRANSPORT, "off")
    p.check()
    p.domain("second", TRANSPORT)
    assert p.start("second")["state"] == "succeeded"


@pytest.mark.parametrize("fault", [(Simulator.STUCK_OFF, RESOURCES[TRANSPORT][1]),
                                   (Simulator.STATUS, RESOURCES[TRANSPORT][1], Simulator.NO_ACCESS, 1000),
                                   (Simulator.LATE, RESOURCES[TRANSPORT][1], 8_000_000, 1)], ids=["stuck off", "no access", "too late"])
def test_a_rail_that_does_not_come_on_fails_the_start(p, fault):
    name = p.domain("unlucky", FWCFG, TRANSPORT)
    p.sim.fault(*fault)
    ended = p.start(name)
    assert (ended["state"], ended["error"]["code"]) == ("failed", "rail.fault"), ended
    assert p.api.state(name) == "stopped"
    # neither is there to be touched, whatever can be known about their power
    assert p.sim.registers(REGISTER[FWCFG][0], REGISTER[TRANSPORT][0]) == [None, None]
    assert any(h[0] == "fault" and h[2] == name for h in history(p.api, TRANSPORT)[:4]), history(p.api, TRANSPORT)[:4]
    p.sim.fault(Simulator.FINE)
    wait_power(p.api, TRANSPORT, "off")
    wait_power(p.api, FWCFG, "off")
    p.check()


def test_an_answer_that_takes_its_time_is_waited_for(p):
    name = p.domain("patient", TRANSPORT)
    p.sim.order(Simulator.LATENCY, 0, 0, 20000)
    assert p.start(name)["state"] == "succeeded"
    p.check()
    p.api.act(name, "kill")
    p.check()


def test_a_rail_that_somebody_else_switches_on_is_corrected_and_counted(p):
    before = p.violations_counted()
    p.sim.order(Simulator.VOTE, 0, RESOURCES[SPARE][0], 3)
    wait_until(lambda: p.violations_counted() == before + 1, "the violation to be counted")
    wait_power(p.api, SPARE, "off")
    p.check()
    assert ("off", "correct", None, "system") in history(p.api, SPARE)[:3]


def test_a_rail_that_goes_off_under_a_domain_is_told_and_mapped_nowhere(p):
    name = p.domain("robbed", TRANSPORT)
    p.start(name)
    for resource in RESOURCES[TRANSPORT]:
        p.sim.order(Simulator.VOTE, 0, resource, 0)
    wait_until(lambda: ("rail.lost", f"devices/{TRANSPORT}") in alerts(p.api), "the alert")
    assert p.view(TRANSPORT) == OFF
    assert history(p.api, TRANSPORT)[0][:2] == ("off", "found")
    p.api.act(name, "kill")
    assert p.start(name)["state"] == "succeeded"
    p.check()


def test_views_tell_switches_that_switch_nothing(p):
    """The negative control: the firmware says off, and everything has power."""
    p.sim.order(Simulator.BRIDGE, 0, 0, 1)
    assert violations(p.api) == []
    with pytest.raises(AssertionError):
        p.check()
