"""The promise of two seconds: whatever happens to domains and daemons, no device is on without a booted owner for longer, and no
domain runs without its device on for longer. An observer holds the machine's own view of slots and drive against the states of
domains that the API tells, all the time; domains, keeper and domusd are started and ended at random meanwhile."""
import os
import random

import pytest

from domus.appliance import BUILD
from domus.dom0 import Dom0
from domus.images import definition
from domus.observer import HAS, Observer, State, histogram, judge
from domus.outside import Outside
from domus.processes import wait_until
from domus.streams import Events

DISK, NIC, PORT = "pcie-00.04.0", "pcie-00.05.0", "usb-00.03.0-1.1"
OWNERS = {DISK: "promise-disk", NIC: "promise-nic", PORT: "promise-port"}
SLOTS = {DISK: 4, NIC: 5}
LIMIT = 2.0
SEQUENCES = int(os.environ.get("RAIL_SEQUENCES", "10"))
SEED = int(os.environ.get("RAIL_SEED", random.randrange(1 << 32)))
POWER_CUT = 20  # after so many sequences the plug is pulled
STEPS = 3


class Board:
    """The appliance, its domains that own a device each, and who watches them."""

    def __init__(self, appliance, images):
        self.appliance, self.images, self.api = appliance, images, appliance.client
        self.breaks, self.looks, self.log = [], 0, []
        self.dom0 = self.observer = None
        for device, name in OWNERS.items():
            response = self.api.post("/api/v1/domains", definition(name, images["idle"], memory_mib=32, devices=[device]))
            assert response.status == 201, response
        self.watch()

    def watch(self):
        """Begins to look, after a boot."""
        self.dom0 = Dom0(self.appliance)
        self.observer = Observer(self.appliance, OWNERS, SLOTS, {PORT: "usbdrive"})

    def unwatch(self):
        """Ends to look."""
        self.looks += self.observer.looks
        self.observer.close()
        self.dom0.close()

    def ready(self):
        """Waits until the API answers and what it says is the truth."""
        def answers():
            try:
                return self.api.get("/readyz", check=False).status == 200
            except OSError:
                return False
        wait_until(answers, f"the API to be ready again: {self.log}", 180, 0.2)

    def state(self, name):
        """A domain's state, once it stays."""
        return wait_until(lambda: (s := self.api.state(name)) in ("running", "paused", "stopped", "crashed") and s,
                          f"{name} to be in a state that stays: {self.log}", 180, 0.1)

    def act(self, name, action):
        """Asks for it; what becomes of it is for who asked to wait for."""
        response = self.api.post(f"/api/v1/domains/{name}/actions/{action}")
        assert response.status in (200, 202), (response, self.log)
        return response

    def boots(self, name, kernel):
        """What the domain boots at its next start."""
        path = f"/api/v1/domains/{name}"
        if self.api.get(path).json()["boot"]["kernel"] != self.images[kernel]:
            response = self.api.patch(path, {"boot": {"kernel": self.images[kernel]}}, headers={"If-Match": "*"})
            assert response.status == 200, response

    def done(self, response):
        """Waits for the end of what act() asked for, whatever it is."""
        if response.status == 202:
            self.api.operation_end(response.json()["id"])

    def kill_daemon(self, name):
        """SIGKILL to all of it; waits until systemd has started another."""
        shown = f"systemctl show -p MainPID --value {name}"
        self.dom0.run(f"p=$({shown}); systemctl kill -s KILL {name}; "
                      f"until n=$({shown}); [ $n != 0 ] && [ $n != $p ]; do busybox sleep 0.2; done")
        self.ready()

    def agree(self):
        """In the end the machine's own view of the slots is what the domains' states ask for."""
        def same():
            states = {name: self.state(name) for name in OWNERS.values()}
            return all(self.observer.on(device) == (states[OWNERS[device]] in HAS) for device in SLOTS)
        try:
            wait_until(same, "the machine's view to be what the states of the domains ask for", 120, 0.1)
        except AssertionError as e:
            raise AssertionError(f"{e}: {self.log} {self.observer.errors[-3:]}") from None

    def end(self):
        """Kills what lives."""
        for name in OWNERS.values():
            if self.state(name) in HAS:
                self.done(self.act(name, "kill"))
        self.agree()

    def late(self):
        """The breaks of the rule that lasted too long, since this was asked last."""
        found = self.observer.breaks()
        self.observer.forget()
        self.breaks += found
        return [b for b in found if b.seconds > LIMIT]


@pytest.fixture(scope="module")
def board(appliance, images):
    there = Board(appliance, images)
    yield there
    there.unwatch()
    for name in OWNERS.values():
        if there.state(name) in HAS: # a test has failed in the middle
            there.done(there.act(name, "kill"))
        assert there.api.delete(f"/api/v1/domains/{name}").status == 204
    text = histogram(there.breaks, there.looks)
    print(text)
    (BUILD / "test").mkdir(exist_ok=True)
    (BUILD / "test" / "promise.txt").write_text(text + "\n", encoding="utf-8")


def step(board, chance):
    """One thing that happens."""
    name = chance.choice(sorted(OWNERS.values()))
    state = board.state(name)
    if state in HAS:
        what = chance.choice(["kill", "kill", "kill and keeper", "destroy", "resume" if state == "paused" else "pause", "keeper", "domusd"])
    else:
        what = chance.choice(["start", "start", "start", "crash", "start and keeper", "start and domusd", "crash and domusd"])
    board.log.append(f"{name}: {what}")
    words = what.split()
    if words[0] in ("start", "crash"):
        board.boots(name, "crash" if words[0] == "crash" else "idle")
        asked = board.act(name, "start")
    elif words[0] in ("kill", "pause", "resume"):
        asked = board.act(name, words[0])
    elif words[0] == "destroy":
        board.dom0.run(f"xl destroy {name}")
        asked = None
    else:
        board.kill_daemon(words[0])
        asked = None
    if words[1:]:
        board.kill_daemon(words[2])
    if asked:
        board.done(asked)
    if words[0] in ("crash", "kill", "destroy"):
        wait_until(lambda: board.api.state(name) in ("crashed", "stopped"), f"{name} to have ended: {board.log}", 120, 0.1)
    board.agree()


@pytest.mark.parametrize("number", range(SEQUENCES))
def test_rule_is_kept_within_two_seconds_in_a_random_sequence(board, number):
    chance = random.Random(SEED + number)
    board.log = [f"RAIL_SEED={SEED} sequence {number}"]
    for _ in range(STEPS):
        step(board, chance)
    board.end()
    late = [str(b) for b in board.late()]
    assert not late, (late, board.log)
    if (number + 1) % POWER_CUT == 0:
        board.unwatch()
        board.appliance.power_cut()
        board.appliance.run()
        # make run is back when the API says that it is ready
        with Outside(board.appliance.run_dir) as outside:
            assert not any(outside.slots_mapped().values())
        board.watch()


def test_observer_tells_a_device_that_is_on_without_an_owner(board):
    """The negative control: keeper is held still and somebody switches the slot on."""
    board.dom0.run("kill -STOP $(busybox pidof keeper)")
    try:
        board.dom0.slot(SLOTS[NIC], True)
        found = wait_until(lambda: [b for b in board.observer.breaks() if b.seconds > LIMIT], "the observer to tell", 120, 0.5)
    finally:
        board.dom0.run("kill -CONT $(busybox pidof keeper)")
    assert {(b.device, b.kind) for b in found} == {(NIC, "on without an owner")}
    board.agree()
    board.observer.forget()


def test_observer_tells_a_domain_that_runs_without_its_device(board):
    """The other one: a slot goes off behind keeper's back, which does not switch it on under a guest."""
    board.boots(OWNERS[NIC], "idle")
    board.done(board.act(OWNERS[NIC], "start"))
    board.agree()
    board.dom0.slot(SLOTS[NIC], False)
    found = wait_until(lambda: [b for b in board.observer.breaks() if b.seconds > LIMIT], "the observer to tell", 120, 0.5)
    assert {(b.device, b.kind) for b in found} == {(NIC, "off under its owner")}
    board.done(board.act(OWNERS[NIC], "kill"))
    # none the worse for it: the next start finds a device that works
    board.done(board.act(OWNERS[NIC], "start"))
    board.end()
    board.observer.forget()


def test_pulled_drive_is_an_alert_and_its_domain_starts_anew_when_it_is_back(board):
    name, path = OWNERS[PORT], f"/api/v1/domains/{OWNERS[PORT]}"
    changed = {"on_pull": "restart", "disks": [{"name": "xvda", "source": {"device": PORT}}]}
    assert board.api.patch(path, changed, headers={"If-Match": "*"}).status == 200
    board.boots(name, "idle")
    board.api.act(name, "start")
    before = board.api.get(path).json()["status"]["domid"]
    with Events(board.api) as events:
        board.observer.ask("device_del", id="usbdrive")
        raised = events.wait(lambda e: e["type"] == "alert.raised")
        assert (raised["resource"], raised["data"]["code"]) == (f"devices/{PORT}", "device.pulled")
        board.observer.ask("blockdev-add", **{"driver": "raw", "node-name": "usbanew", "file": {"driver": "file", "filename": "usb.img"}})
        board.observer.ask("device_add", driver="usb-storage", id="usbdrive", bus="usb.0", port="1.1", drive="usbanew")
        events.wait(lambda e: e["type"] == "alert.cleared" and e["data"]["code"] == "device.pulled")
        events.wait_state(name, "running")
    assert board.api.get(path).json()["status"]["domid"] != before
    board.api.act(name, "kill")
    assert not board.late()
    assert board.api.patch(path, {"on_pull": "report", "disks": []}, headers={"If-Match": "*"}).status == 200


A, B, C = State("running", "1", ""), State("stopped", "2", ""), State("stopping", "2", "the guest crashed")


@pytest.mark.parametrize("views,states,found", [
    ([(1, True), (2, True), (3, True)], [(0, 0, A), (9, 9, A)], []),
    ([(1, True), (2, True), (3, True)], [(0, 0, B), (9, 9, B)], [("on without an owner", 1, 3)]),
    ([(1, True), (2, False), (3, True)], [(0, 0, B), (9, 9, B)], [("on without an owner", 1, 1), ("on without an owner", 3, 3)]),
    ([(1, False), (2, False)], [(0, 0, A), (9, 9, A)], [("off under its owner", 1, 2)]),
    ([(1, False), (2, True)], [(0, 0, A), (0.5, 1.5, B), (9, 9, B)], [("on without an owner", 2, 2)]),
    ([(1, True), (5, True)], [(0, 0, C), (4, 4, C), (6, 6, C)], [("on without an owner", 1, 5)]),
    ([(1, True), (2, None), (3, True)], [(0, 0, B), (9, 9, B)], [("on without an owner", 1, 3)]),
    ([(1, True)], [(0, 0, A), (2, 2, B)], []),
    ([(1, True)], [(2, 2, B)], [])])
def test_judge(views, states, found):
    breaks = judge(views, [(a, b, {"one": s}) for a, b, s in states], "one", "device")
    assert [(b.kind, b.begin, b.end) for b in breaks] == found
