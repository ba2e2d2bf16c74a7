"""What the hypervisor says when it faults itself, and that the machine comes back. A test build of it faults when a guest asks
(tests/system/guests/faulty); nothing of that is in the product."""
import re

import pytest

from test_hypervisor_guest import boot

FAULTS = {
    1: ("reads a wild address", "synchronous exception", "fault_read_null"),
    2: ("writes its own text", "synchronous exception", "fault_write_text"),
    3: ("overflows its stack", "stack overflow", "fault_recurse"),
    4: ("meets an undefined instruction", "synchronous exception", "fault_undefined"),
    5: ("runs data", "synchronous exception", None),
}


@pytest.mark.parametrize("number", FAULTS, ids=[f"it {what}".replace(" ", "_") for what, _, _ in FAULTS.values()])
def test_fault_is_reported_and_ends_in_a_reset(number):
    """Kind, domain, registers and a backtrace with names; then QEMU sees the reset (-no-reboot makes it an exit)."""
    _, kind, function = FAULTS[number]
    output = boot("faulty", 2, hypervisor="faulty", arguments=f"fault={number}")
    assert f"the hypervisor faulted: {kind}, ESR " in output, output[-1500:]
    assert re.search(r"on CPU \d, domain 0 vCPU 0", output)
    assert len(re.findall(r"x\d+ +[0-9a-f]{16}", output)) == 31
    trace = re.findall(r"[0-9a-f]{16} (\S+)\+\d+\r?$", output.split("called from:")[1], re.M)
    assert function is None or trace[0] == function
    assert "smccc_call" in trace or kind == "stack overflow"
    assert output.count("the hypervisor faulted") == 1
    assert "the machine is reset" in output
    assert "nothing happened" not in output


def test_product_does_not_fault_when_asked():
    """The call that the test build obeys is an unknown one."""
    output = boot("faulty", 1, arguments="fault=1")
    assert "nothing happened" in output and "faulted" not in output
