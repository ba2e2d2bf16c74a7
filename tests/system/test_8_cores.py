"""Cores: one that no living domain can use is off on our hypervisor, says PSCI, and its program counter stands still; stock Xen keeps
them on, and that is said."""
import os
import re
import time

import pytest

from domus.dom0 import Dom0
from domus.outside import Outside
from domus.power import device, devices, history
from domus.processes import wait_until

OURS = os.environ.get("HYPERVISOR", "domus") != "xen"
ours = pytest.mark.skipif(not OURS, reason="stock Xen switches no core")
LOOKS = 20
DOM0 = "0-1"  # where Dom0's two vCPUs are from the start (xen-init-dom0.service)


@pytest.fixture(scope="module")
def dom0(appliance):
    there = Dom0(appliance)
    yield there
    there.run(f"xl vcpu-pin Domain-0 all {DOM0}")
    there.close()


@pytest.fixture
def load(dom0):
    """Dom0 has both hands full, so that a core that is on moves."""
    pids = dom0.run("for i in 1 2; do sh -c 'while :; do :; done' >/dev/null & echo $!; done").split()
    yield
    dom0.run(f"kill {' '.join(pids)}")


def cores(api):
    """{core: what was read back}."""
    return {int(i.removeprefix("cpu-")): d["power"]["actual"] for i, d in devices(api, "&kind=cpu").items()}


def told(dom0):
    """The cores that are on, as `xl info` tells."""
    lines = dom0.run("xl info -n 2>/dev/null").splitlines()
    listed = {int(line.split(":")[0]) for line in lines if re.match(r"\s*\d+:(\s+\d+){3}\s*$", line)}
    assert f"nr_cpus                : {len(listed)}" in lines
    return listed


def moving(appliance):
    """The cores whose program counter changes while we look."""
    with Outside(appliance.run_dir) as outside:
        seen = []
        for _ in range(LOOKS):
            seen.append(outside.registers())
            time.sleep(0.05)
    assert all(sorted(look) == [0, 1, 2, 3] for look in seen)
    return {core for core in seen[0] if len({look[core] for look in seen}) > 1}


def test_cores_that_dom0_does_not_need_are_off_without_being_asked(appliance, api):
    want = {0: "on", 1: "on", 2: "off", 3: "off"} if OURS else {core: "on" for core in range(4)}
    wait_until(lambda: cores(api) == want, "no core to be on but Dom0's")
    system = api.get("/api/v1/system").json()
    assert [cpu["online"] for cpu in system["cpus"]] == [power == "on" for power in want.values()]
    if OURS:
        assert not moving(appliance) & {2, 3}


def test_cores_say_who_switches_them(api):
    found = device(api, "cpu-1")
    assert found["gate"] == ("hypervisor" if OURS else "none") and found["power"]["wanted"] is None
    assert found["power"]["reason"] == ("PSCI says on. The hypervisor switches cores by itself." if OURS else
                                        "This hypervisor keeps every core on and offers no switch.")


@ours
@pytest.mark.parametrize("pinned,off", [("0-1", {2, 3}), ("2-3", {1})])
def test_core_that_no_domain_can_use_is_off_and_stands_still(appliance, api, dom0, load, pinned, off):
    dom0.run(f"xl vcpu-pin Domain-0 all {pinned}")
    want = {core: "off" if core in off else "on" for core in range(4)}
    wait_until(lambda: cores(api) == want, f"{off} to be off")
    wait_until(lambda: "PSCI says off" in device(api, f"cpu-{min(off)}")["power"]["reason"], "the reason to be told")
    first, last = (int(core) for core in pinned.split("-"))
    assert moving(appliance) & (off | {first, last}) == {first, last}
    assert cores(api) == want
    assert told(dom0) == set(range(4)) - off


@ours
def test_cores_come_back_for_a_domain_that_can_use_them_and_go_off_with_it(appliance, api, images, define, dom0):
    dom0.run(f"xl vcpu-pin Domain-0 all {DOM0}")
    wait_until(lambda: cores(api)[3] == "off", "the core to be off")
    name = define("cores", boot={"kernel": images["idle"]}, memory_mib=32)
    api.act(name, "start")
    wait_until(lambda: set(cores(api).values()) == {"on"}, "all cores to be on")
    api.act(name, "kill")
    wait_until(lambda: cores(api)[2] == cores(api)[3] == "off", "two cores to be off")
    assert not moving(appliance) & {2, 3}
    assert [(power, cause) for power, cause, _, _ in history(api, "cpu-3")[:3]] == [("off", "found"), ("on", "found"), ("off", "found")]
