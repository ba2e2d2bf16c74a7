"""What the hypervisor says when it faults itself, and that the machine comes back, or that only the domain ends whose trap it was. A
test build of it faults when a guest asks (tests/system/guests/faulty); nothing of that is in the product."""
import re

import pytest

from test_hypervisor_guest import boot

FAULTS = {
    1: ("reads a wild address", "synchronous exception", "fault_read_null"),
    2: ("writes its own text", "synchronous exception", "fault_write_text"),
    3: ("overflows its stack", "stack overflow", "fault_recurse"),
    4: ("meets an undefined instruction", "synchronous exception", "fault_undefined"),
    5: ("runs data", "synchronous exception", None),
    6: ("holds a lock", "synchronous exception", "fault_read_null"),
    7: ("handles an interrupt", "synchronous exception", "fault_read_null"),
    8: ("finds that an invariant does not hold", "synchronous exception", "fault_here"),
}
CONTAINED = (1, 2, 4, 5)  # when it was not Dom0 that asked
RESET = (3, 6, 7, 8)


def ids(numbers):
    """Names for the cases."""
    return [f"it {FAULTS[number][0]}".replace(" ", "_") for number in numbers]


def assert_reported(output, number):
    """Kind, registers and a backtrace with names, once."""
    _, kind, function = FAULTS[number]
    assert f"the hypervisor faulted: {kind}, ESR " in output, output[-1500:]
    assert output.count("the hypervisor faulted") == 1
    assert len(re.findall(r"x\d+ +[0-9a-f]{16}", output)) == 31
    trace = re.findall(r"[0-9a-f]{16} (\S+)\+\d+\r?$", output.split("called from:")[1], re.M)
    assert function is None or trace[0] == function
    assert ("timer_irq" if number == 7 else "smccc_call") in trace or kind == "stack overflow"


@pytest.mark.parametrize("number", FAULTS, ids=ids(FAULTS))
def test_fault_is_reported_and_ends_in_a_reset(number):
    """Dom0 asked; QEMU sees the reset (-no-reboot makes it an exit)."""
    output = boot("faulty", 2, hypervisor="faulty", arguments=f"fault={number}")
    assert_reported(output, number)
    assert number == 7 or re.search(r"on CPU \d, domain 0 vCPU 0, \d locks held", output)
    assert "the machine is reset" in output
    assert number == 7 or "nothing happened" not in output


@pytest.mark.parametrize("cpus", (1, 2))
@pytest.mark.parametrize("number", CONTAINED, ids=ids(CONTAINED))
def test_fault_of_a_domains_trap_ends_that_domain(number, cpus):
    """It crashed (SHUTDOWN_crash is 3), Dom0 and another domain on the same CPUs go on, and all memory comes back."""
    output = boot("faulty", cpus, hypervisor="faulty", arguments=f"domu={number}")
    assert_reported(output, number)
    assert re.search(r"on CPU \d, domain 2 vCPU 0, 0 locks held", output)
    assert "d2v0: stopped for a fault of the hypervisor" in output
    assert "it was shut down, reason 3" in output
    assert "the other one runs" in output
    assert "0 frames are missing" in output
    assert "the machine is reset" not in output


@pytest.mark.parametrize("number", RESET, ids=ids(RESET))
def test_fault_that_others_may_suffer_from_ends_in_a_reset(number):
    """A domain asked, but a lock is held, or it was in an interrupt, or the stack or the data are not to be trusted."""
    output = boot("faulty", 1, hypervisor="faulty", arguments=f"domu={number}")
    assert_reported(output, number)
    assert "the machine is reset" in output
    assert "it was shut down" not in output


def test_product_does_not_fault_when_asked():
    """The call that the test build obeys is an unknown one."""
    output = boot("faulty", 1, arguments="fault=1")
    assert "nothing happened" in output and "faulted" not in output
