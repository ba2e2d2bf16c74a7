"""More vCPUs than cores. A bare-metal Dom0 of ours (tests/system/guests/share) makes four busy domains and watches their shares;
and the conformance guest runs with four vCPUs on one core.

A tick of the time of the shares is a fixed number of instructions (-icount), so the result is the same in every run, however busy the
host is."""
import re

import pytest

from test_hypervisor_guest import boot, names


@pytest.fixture(scope="module")
def shares():
    """{what: [(counted, ns) of each domain]} and the whole output."""
    output = boot("share", 1, options=("-icount", "shift=5,sleep=off"))
    found = {}
    for what, counted, ran in re.findall(r"^(\w+) \d+: counted (\d+), ran (\d+) ns", output, re.M):
        found.setdefault(what, []).append((int(counted), int(ran)))
    assert "share ends" in output, output[-1500:]
    return found


@pytest.mark.parametrize("measure", [0, 1], ids=["counted", "ran"])
def test_weights_are_shares(shares, measure):
    """1:1:2:4 within 3 %, by what the domains did and by what the tools are told."""
    got = [domain[measure] for domain in shares["weights"]]
    for value, weight in zip(got, (1, 1, 2, 4)):
        assert value / sum(got) == pytest.approx(weight / 8, rel=0.03)


def test_cap_holds_and_the_others_share_the_rest(shares):
    """A domain of weight 4 with a cap of 10 % gets that; 1:2:4 share the rest."""
    ran = [domain[1] for domain in shares["cap"]]
    assert ran[1] == pytest.approx(0.1 * sum(ran), rel=0.03)
    rest = sum(ran) - ran[1]
    for value, weight in zip((ran[0], ran[2], ran[3]), (1, 2, 4)):
        assert value / rest == pytest.approx(weight / 7, rel=0.03)


def test_cpus_are_on_while_a_domain_can_use_them():
    """Two clusters are two pools. The second one's CPUs are off, come when a domain is made there, go when it leaves or ends."""
    output = boot("share", "4,sockets=1,clusters=2,cores=2,threads=1")
    assert re.findall(r"^([a-z ]+): (\d) CPUs on, domain (\w+)\r?$", output, re.M) == [
        ("at first", "2", "rests"), ("made", "4", "rests"), ("unpaused", "4", "runs"), ("moved", "2", "runs"),
        ("moved back", "4", "runs"), ("destroyed", "2", "rests")], output[-1500:]


@pytest.fixture(scope="module")
def crowded():
    """What each case of the conformance guest says when its four vCPUs share one core."""
    output = boot("conformance", 1, line="dom0_mem=256M loglvl=warning dom0_max_vcpus=4")
    assert "conformance begins on 4 CPUs" in output and "conformance ends" in output, output[-1500:]
    return dict(re.findall(r"^case (\w+) (.*?)\r?$", output, re.M))


@pytest.mark.parametrize("name", [name for name, _ in names()])
def test_promises_hold_for_four_vcpus_on_one_core(crowded, name):
    """Interrupts, timers, PSCI and FP registers when every vCPU is switched in and out."""
    assert crowded[name] == "ok"
