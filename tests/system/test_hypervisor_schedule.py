"""Shares of one core, CPU pools and CPU power: a bare-metal Dom0 of ours (tests/system/guests/share) makes busy domains by the
toolstack's own hypercalls and watches them.

A tick of the time of the shares is a fixed number of instructions (-icount), so the result is the same in every run, however
busy the host is."""
import re

import pytest

from test_hypervisor_guest import boot


@pytest.fixture(scope="module")
def output():
    """Of the shares. An instruction takes 32 ns, two ticks of the counter."""
    return boot("share", 1, options=("-icount", "shift=5,sleep=off"))


@pytest.fixture(scope="module")
def shares(output):
    """{what: [(counted, ns) of each domain]}."""
    found = {}
    for what, counted, ran in re.findall(r"^(\w+) \d+: counted (\d+), ran (\d+) ns", output, re.M):
        found.setdefault(what, []).append((int(counted), int(ran)))
    assert "share ends" in output, output[-1500:]
    return found


def test_a_vcpu_alone_on_its_core_is_not_held(output):
    """While nobody else is there the hypervisor never keeps the core for more than 2,000 instructions at a time."""
    looks, ticks, longest = map(int, re.search(r"^alone: (\d+) looks in (\d+) ticks, longest hold (\d+) ticks", output, re.M).groups())
    assert looks > 1_000_000 and ticks / looks < 40, "it looked without a pause"
    assert longest <= 2 * 2000


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
