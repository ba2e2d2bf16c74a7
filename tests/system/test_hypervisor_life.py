"""The life of domains with Debian's unmodified xl, and malformed hypercalls, in one boot of the laboratory's Dom0 on our hypervisor
(tests/system/guests/life/dom0 is what runs there). LAB_HYPERVISOR= stock Xen's image: the same on that, where the cases of
guests/life/xen may differ, and no others.

What Xen answers to the hypercalls is in guests/hypercalls.xen; `tests/soak/hypercalls record` writes it anew."""
import base64
import os
import pathlib
import re
import subprocess

import pytest

from domus import bare, fdt

GUESTS = pathlib.Path(__file__).parent / "guests"
BUILT = bare.BUILD / "test-guests"
STOCK = "LAB_HYPERVISOR" in os.environ
CASES = re.findall(r"^t (\w+)", (GUESTS / "life/dom0").read_text(encoding="utf-8"), re.M)


def table(text):
    """{name: result} of lines "name result"; what follows a # is a remark."""
    lines = (line.partition("#")[0].split() for line in text.splitlines())
    return {name: int(result) for name, result in filter(None, lines)}


# case: why it does not hold on stock Xen
XEN_DIFFERS = dict(re.findall(r"^(\w+): (.+)$", (GUESTS / "life/xen").read_text(encoding="utf-8"), re.M))
XEN = table((GUESTS / "hypercalls.xen").read_text(encoding="utf-8"))
# where we answer something else on purpose
DIFFERENT = table((GUESTS / "hypercalls.domus").read_text(encoding="utf-8"))


def partial_tree():
    """The part of a guest's device tree that its owner gives to xl: QEMU's PL031 and PL061, at their own addresses."""
    root = fdt.Node("", {"#address-cells": fdt.cells(2), "#size-cells": fdt.cells(2)})
    bus = root.add("passthrough", compatible=fdt.text("simple-bus"), ranges=b"")
    bus.properties |= {"#address-cells": fdt.cells(2), "#size-cells": fdt.cells(2)}
    for name, base, spi in (("pl031", 0x9010000, 2), ("pl061", 0x9030000, 7)):
        bus.add(f"{name}@{base:x}", compatible=fdt.text(f"arm,{name}", "arm,primecell"), reg=fdt.pairs(base, 0x1000),
                interrupts=fdt.cells(0, spi, 4), interrupt_parent=fdt.cells(65000))
    return fdt.flatten(root)


def script():
    """What Dom0 runs: the files, then the cases."""
    files = {"life": BUILT / "bare/life", "hold": BUILT / "hold", "hypercalls": BUILT / "hypercalls", "debugger": BUILT / "debugger",
             "calls": BUILT / "bare/calls"}
    pieces = {name: path.read_bytes() for name, path in files.items()} | {"partial.dtb": partial_tree()}
    lines = [f"base64 -d >/run/{name} <<'B'\n{base64.encodebytes(data).decode()}B\n" for name, data in pieces.items()]
    return "".join(lines + [(GUESTS / name).read_text(encoding="utf-8") for name in ("calls/dom0", "life/dom0")])


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """All that the one boot said."""
    file = tmp_path_factory.mktemp("life") / "script"
    file.write_text(script(), encoding="utf-8")
    run = subprocess.run([bare.ROOT / "tests/lab/run", file], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         env={"BUILD": str(bare.BUILD), "LAB_TIMEOUT": "1200"} | os.environ, check=False)
    return run.stdout.decode(errors="replace")


@pytest.mark.parametrize("name", CASES)
def test_life(output, name):
    """One case. Each also checks that every frame came back."""
    said = dict(re.findall(r"^case (\w+) (.*)$", output, re.M)).get(name, "")
    assert said == "ok" or STOCK and name in XEN_DIFFERS and said.startswith("differs:"), f"{said}\n{output[-3000:]}"


@pytest.fixture(scope="module")
def answers(output):
    """{name: result} of all the hypercalls."""
    return table("\n".join(re.findall(r"^row (.*)$", output, re.M)))


@pytest.mark.parametrize("name", XEN)
def test_malformed_hypercall(answers, output, name):
    """The error that Xen gives, or the one that we give on purpose. dom0-: from Dom0, domu-: the same from a guest without privileges."""
    assert answers.get(name) == (XEN if STOCK else XEN | DIFFERENT)[name], output[-1500:]


def test_comes_to_its_end(output):
    """Dom0 ran the script to its end, powered off, and its kernel had nothing to complain about."""
    assert "life ends" in output and "lab: script ended with 0" in output and "lab: complaint" not in output, output[-3000:]
    assert set(DIFFERENT) <= set(XEN) and set(XEN_DIFFERS) <= set(CASES)
