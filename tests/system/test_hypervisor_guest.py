"""What the architecture promises a guest, checked by a bare-metal guest of ours as Dom0 (tests/system/guests/conformance).

Each CASE of the guest is one test here; a QEMU run of a few seconds runs them all. Needs the hypervisor and the guest only:
`make hypervisor test-guests-bare`."""
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "tests/system/guests/conformance").glob("*.c"))


def names():
    """Of all cases in the guest's sources, with how many CPUs each needs."""
    found = []
    for source in SOURCES:
        text = source.read_text(encoding="utf-8")
        found += [(name, int(cpus)) for name, cpus in re.findall(r"^CASE\((\w+), (\d+)\)", text, re.M)]
        for name in re.findall(r"^BOTH\((\w+)\)", text, re.M):
            found += [(f"cntv_{name}", 1), (f"cntp_{name}", 1)]
    return found


def boot(guest, cpus, options=(), line="dom0_mem=256M loglvl=warning", hypervisor="domus", arguments="x",
         model="cortex-a72"):
    """Output of a guest that runs as Dom0 until it powers off."""
    command = ["qemu-system-aarch64", "-M", "virt,gic-version=3,virtualization=on", "-cpu", model, "-smp", str(cpus),
               "-m", "1G", "-nographic", "-no-reboot", "-nic", "none", "-kernel", ROOT / "build/hypervisor" / hypervisor,
               "-append", line, "-device", f"guest-loader,addr=0x50000000,kernel={ROOT}/build/test-guests/bare/{guest},bootargs={arguments}",
               *options]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
                         check=False)
    return run.stdout.decode(errors="replace")


# CPUs of the machine, vCPUs of the guest: in the last two every vCPU takes turns with others. The first one of all has all that
# QEMU's CPUs can do, most of which is hidden.
MACHINES = {"max": (1, 1), "1": (1, 1), "4": (4, 4), "4-on-1": (1, 4), "8-on-2": (2, 8)}


@pytest.fixture(scope="module")
def results():
    """{machine: (what each case said, whole output)}."""
    found = {}
    for machine, (cpus, vcpus) in MACHINES.items():
        output = boot("conformance", cpus, line=f"dom0_mem=256M dom0_max_vcpus={vcpus} loglvl=warning",
                      model="max" if machine == "max" else "cortex-a72")
        found[machine] = (dict(re.findall(r"^case (\w+) (.*?)\r?$", output, re.M)), output)
    return found


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name,needs", names())
def test_conformance(results, name, needs, machine):
    """One case on one machine."""
    said, output = results[machine]
    if needs > MACHINES[machine][1]:
        assert said[name].startswith("skipped")
        return
    assert said.get(name) == "ok", output[-1500:]


@pytest.mark.parametrize("machine", MACHINES)
def test_guest_came_to_its_end(results, machine):
    """No case took the machine along."""
    assert "conformance ends" in results[machine][1], results[machine][1][-1500:]


@pytest.mark.parametrize("machine", MACHINES)
def test_words_through_the_machines_uart_arrive(results, machine):
    """In one piece, once, between the other lines: earlycon= of a kernel that is Dom0."""
    assert re.findall(r"^.*through the UART.*$", results[machine][1], re.M) == ["these words went through the UART\r"]
