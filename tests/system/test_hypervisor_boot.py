"""Our hypervisor alone on QEMU's virt board: what it makes of what a boot loader leaves, good and bad.

Each run boots the real image with a device tree of its own and takes about a second; no appliance is needed. Whatever is wrong
must end with one clear line on the console."""
import copy
import gzip
import re
import struct

import pytest

from domus import bare
from domus.bare import KERNEL, RAM, RAM_SIZE, RAMDISK, TREE, Bare
from domus.fdt import Node, cells, flatten, pairs, parse, text

ARRIVE = (bare.BUILD / "test-guests/arrive")
OPTIONS = "dom0_mem=128M loglvl=warning"


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """The board's device tree."""
    return bare.host_tree(tmp_path_factory.mktemp("host"))


def module(tree, kind, address, size, **properties):
    """A multiboot module in /chosen."""
    return tree["chosen"].add(f"module@{address:x}", compatible=text(f"multiboot,{kind}", "multiboot,module"),
                              reg=pairs(address, size), **properties)


@pytest.fixture
def tree(host):
    """A tree to change: the board's, with a kernel and a ramdisk as modules."""
    root = copy.deepcopy(host)
    chosen = root["chosen"]
    chosen.properties = {"stdout-path": chosen.properties["stdout-path"], "bootargs": text(OPTIONS), "#address-cells": cells(2),
                         "#size-cells": cells(2)}
    chosen.children = []
    module(root, "kernel", KERNEL, ARRIVE.stat().st_size, bootargs=text("console=hvc0 quiet"))
    module(root, "ramdisk", RAMDISK, 0x1800)
    return root


@pytest.fixture
def run(tmp_path):
    """Boots a tree; what is not given is as the tree fixture says it."""
    machines = []

    def start(tree, memory=None, reservations=(), **options):
        blob = flatten(tree, reservations) if isinstance(tree, Node) else tree
        pieces = {KERNEL: ARRIVE.read_bytes(), RAMDISK: bytes(range(256)) * 24, **(memory or {})}
        there = Bare(tmp_path, blob, {a: d for a, d in pieces.items() if d}, **options)
        machines.append(there)
        return there
    yield start
    for there in machines:
        there.__exit__()


@pytest.fixture
def refuses(run):
    """Boots and expects the one line; nothing but the greeting and warnings may stand before it."""
    def expect(line, *args, **options):
        console = run(*args, **options).until(bare.END)
        said = [re.sub(r"^\[domus\] ", "", s) for s in console.splitlines() if s]
        assert re.search(line, said[-2]), console
        assert said[-1].startswith(bare.END)
        assert len(said) <= 4, console
    return expect


def arrival(there):
    """Addresses of Dom0's kernel and device tree, and the tree."""
    console = there.until(" .\n", bare.END)
    found = re.search(r"dom0 arrived: kernel (\w+) tree (\w+) \.", console)
    assert found, console
    kernel, at = (int(g, 16) for g in found.groups())
    size = struct.unpack(">I", there.memory(at, 8)[4:])[0]
    return kernel, at, parse(there.memory(at, size))[0]


# ---- what is right --------------------------------------------------------------------------------------------------------
def test_dom0_finds_its_kernel_ramdisk_and_tree(run, tree):
    """Modules in Dom0's memory stay where they are; the tree says so."""
    there = run(tree)
    kernel, at, dom0 = arrival(there)
    chosen = dom0["chosen"].properties
    assert kernel == KERNEL
    assert chosen["bootargs"] == text("console=hvc0 quiet")
    assert (chosen["linux,initrd-start"], chosen["linux,initrd-end"]) == (pairs(RAMDISK), pairs(RAMDISK + 0x1800))
    assert there.memory(RAMDISK, 0x1800) == bytes(range(256)) * 24
    assert at % 8 == 0
    assert len(dom0["cpus"].children) == 2
    assert "hypervisor" in dom0 and "pl011" not in dom0
    base, size = struct.unpack(">QQ", dom0["memory"].properties["reg"])
    assert size == 128 << 20 and RAM <= base and base + size <= RAM + RAM_SIZE


def test_modules_outside_of_dom0s_memory_are_copied_into_it(run, tree):
    """The kernel to an address that is a multiple of 2 MiB, both unchanged."""
    high = RAM + 0xe000000
    kernel_size = ARRIVE.stat().st_size
    tree["chosen"].children = []
    module(tree, "kernel", high + 0x1000, kernel_size)
    module(tree, "ramdisk", high + 0x100000, 0x1800)
    there = run(tree, {KERNEL: b"", RAMDISK: b"", high + 0x1000: ARRIVE.read_bytes(), high + 0x100000: b"ramdisk!" * 0x300})
    kernel, _, dom0 = arrival(there)
    base, size = struct.unpack(">QQ", dom0["memory"].properties["reg"])
    initrd = struct.unpack(">Q", dom0["chosen"].properties["linux,initrd-start"])[0]
    assert kernel % (2 << 20) == 0 and base <= kernel < base + size
    assert base <= initrd < base + size
    assert there.memory(initrd, 0x1800) == b"ramdisk!" * 0x300


def big_kernel():
    """The kernel that arrives, with 3 MiB behind it that can be told apart."""
    return ARRIVE.read_bytes() + b"".join(struct.pack("<I", i * 2654435761 % 2**32) for i in range(3 << 18))


def packed(tree, file):
    """The tree with a kernel module of that size, and what lies where."""
    tree[f"chosen/module@{KERNEL:x}"].properties["reg"] = pairs(KERNEL, len(file))
    return tree, {KERNEL: file}


def test_a_kernel_in_a_gzip_file_is_unpacked(run, tree):
    """To an address that is a multiple of 2 MiB; each byte is there."""
    there = run(*packed(tree, gzip.compress(big_kernel())))
    kernel, _, _ = arrival(there)
    assert kernel % (2 << 20) == 0 and kernel != KERNEL
    assert there.memory(kernel, len(big_kernel()))[0x1000:] == big_kernel()[0x1000:]


def test_a_cpu_that_does_not_come_up_is_left_out(run, tree):
    """A third CPU in the tree of a machine with two."""
    third = copy.deepcopy(tree["cpus/cpu@1"])
    third.name, third.properties["reg"] = "cpu@2", cells(2)
    tree["cpus"].children.append(third)
    there = run(tree)
    _, _, dom0 = arrival(there)
    assert "CPU 2 (MPIDR 2) does not come up" in there.text
    assert len([c for c in dom0["cpus"].children if c.name.startswith("cpu@")]) == 2


def test_reserved_memory_is_not_dom0s(run, tree):
    """Neither what /reserved-memory says nor what the reservation block says."""
    middle, block = RAM + 0x5000000, RAM + 0x7000000
    tree.add("reserved-memory", **{"#address-cells": cells(2), "#size-cells": cells(2), "ranges": b""}).add(
        f"firmware@{middle:x}", reg=pairs(middle, 0x200000), no_map=b"")
    _, _, dom0 = arrival(run(tree, reservations=[(block, 0x1000)]))
    banks = struct.unpack(f">{len(dom0['memory'].properties['reg']) // 8}Q", dom0["memory"].properties["reg"])
    for base, size in zip(banks[::2], banks[1::2]):
        for at in middle, block:
            assert not base <= at < base + size


def test_a_console_without_a_driver_leaves_the_boards_own(run, tree):
    """A warning, and on it goes."""
    tree["pl011"].properties["compatible"] = text("somebody,else")
    there = run(tree)
    arrival(there)
    assert "no driver for the console" in there.text


# ---- modules ----------------------------------------------------------------------------------------------------------------
def test_no_chosen_node(refuses, tree):
    """No /chosen."""
    tree.remove("chosen")
    refuses("no /chosen node, so there is no Dom0 kernel", tree)


def test_no_modules(refuses, tree):
    """An empty /chosen."""
    tree["chosen"].children = []
    refuses("gave no Dom0 kernel", tree)


def test_two_kernels(refuses, tree):
    """Which one should it be?"""
    module(tree, "kernel", RAMDISK + 0x100000, 0x1000)
    refuses("gave two kernel modules", tree)


@pytest.mark.parametrize("reg", [b"", pairs(KERNEL, 0), pairs(2**64 - 4096, 8192), cells(1)])
def test_module_without_a_usable_range(refuses, tree, reg):
    """Empty, of no size, around the end of the address space, cut."""
    tree[f"chosen/module@{KERNEL:x}"].properties["reg"] = reg
    refuses("has no usable reg property", tree)


def test_kernel_that_is_no_image(refuses, tree):
    """An ELF file, say."""
    refuses("not an arm64 Image", tree, {KERNEL: b"\x7fELF" + bytes(5000)})


@pytest.mark.parametrize("offset,value,line", [(8, 3 << 20, "header makes no sense"), (16, 2 << 30, "header makes no sense"),
                                               (16, 512 << 20, "no room for the Dom0 kernel")])
def test_kernel_header_that_makes_no_sense(refuses, tree, offset, value, line):
    """text_offset and image_size beyond reason, and beyond Dom0's memory."""
    image = bytearray(ARRIVE.read_bytes())
    image[offset:offset + 8] = struct.pack("<Q", value)
    refuses(line, tree, {KERNEL: bytes(image)})


def test_gzip_files_that_are_damaged(refuses, tree):
    """Cut, changed, something else inside; and one that would fill all memory."""
    good = gzip.compress(big_kernel())
    refuses("the Dom0 kernel is a gzip file, but its header is damaged", *packed(tree, good[:12]))
    refuses("the Dom0 kernel is a gzip file, but", *packed(tree, good[:len(good) // 2]))
    refuses("is a gzip file, but its checksum is wrong", *packed(tree, good[:-8] + bytes(4) + good[-4:]))
    refuses("not an arm64 Image", *packed(tree, gzip.compress(bytes(100000))))
    bomb = gzip.compress(ARRIVE.read_bytes() + bytes(200 << 20))
    refuses("no room for the Dom0 kernel .200 MiB. in Dom0's memory: raise dom0_mem", *packed(tree, bomb))
    refuses("is a gzip file, but its content is longer than it says", *packed(tree, bomb[:-4] + struct.pack("<I", 16 << 20)))


def test_ramdisk_that_does_not_fit_into_dom0s_memory(refuses, tree):
    """144 MiB of ramdisk for 128 MiB of Dom0."""
    tree[f"chosen/module@{RAMDISK:x}"].properties["reg"] = pairs(RAMDISK, 144 << 20)
    refuses("no room for the ramdisk .144 MiB. in Dom0's memory: raise dom0_mem", tree)


# ---- memory ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("at,size,line", [
    (KERNEL, 0x1000, "the kernel .* and the ramdisk .* overlap"),
    (bare.IMAGE + 0x8000, 0x1000, "the ramdisk .* and the hypervisor .* overlap"),
    (TREE - 0x1000, 0x2000, "the ramdisk .* and the device tree .* overlap"),
    (0x1000, 0x1000, "a module of the boot loader does not lie in memory"),
    (RAM + RAM_SIZE - 0x1000, 0x2000, "a module of the boot loader does not lie in memory")])
def test_ramdisk_where_it_cannot_be(refuses, tree, at, size, line):
    """Over the kernel, the hypervisor, the device tree; in no memory; half in memory."""
    tree[f"chosen/module@{RAMDISK:x}"].properties["reg"] = pairs(at, size)
    refuses(line, tree)


def test_module_in_reserved_memory(refuses, tree):
    """What is the firmware's cannot be the kernel's."""
    tree.add("reserved-memory", **{"#address-cells": cells(2), "#size-cells": cells(2), "ranges": b""}).add(
        "firmware", reg=pairs(KERNEL - 0x10000, 0x20000))
    refuses("the kernel .* and the reserved memory .* overlap", tree)


def test_memory_that_is_named_twice(refuses, tree):
    """Two banks that overlap."""
    tree["memory"].properties["reg"] = pairs(RAM, RAM_SIZE, RAM + 0x100000, 0x100000)
    refuses("names memory at .* twice", tree)


def test_no_memory(refuses, tree):
    """No /memory node."""
    tree.remove("memory")
    refuses("names no memory", tree)


@pytest.mark.parametrize("option,line", [
    ("dom0_mem=1T", r"dom0_mem=1048576M, but this machine has only \d+M to give"),
    ("dom0_mem=255M", r"dom0_mem=\d+M, but this machine has only \d+M to give"),
    ("dom0_mem=1M", "is too little"), ("dom0_mem=", "is not a size"), ("dom0_mem=99999999999999999999G", "is not a size"),
    ("dom0_max_vcpus=0", "needs a number from 1"), ("dom0_max_vcpus=two", "needs a number from 1")])
def test_options_that_cannot_be(refuses, tree, option, line):
    """Of the command line."""
    tree["chosen"].properties["bootargs"] = text(f"loglvl=warning {option}")
    refuses(line, tree)


def test_a_mebibyte_of_command_line(refuses, tree):
    """The hypervisor's own."""
    tree["chosen"].properties["bootargs"] = text(OPTIONS + " x" * (1 << 19))
    refuses(r"the hypervisor's command line has \d+ characters, more than the 1023 that it takes", tree)


def test_a_mebibyte_of_command_line_for_dom0(refuses, tree):
    """In the module, and in /chosen."""
    tree[f"chosen/module@{KERNEL:x}"].properties["bootargs"] = text("x" * (1 << 20))
    refuses("the command line of the kernel module has 1048576 characters, more than the 2047 that a kernel takes", tree)
    del tree[f"chosen/module@{KERNEL:x}"].properties["bootargs"]
    tree["chosen"].properties["xen,dom0-bootargs"] = text("x" * (1 << 20))
    refuses("Dom0's command line has 1048576 characters, more than the 2047 that a kernel takes", tree)


def test_an_option_that_nobody_knows_is_reported(run, tree):
    """And does no harm."""
    tree["chosen"].properties["bootargs"] = text(OPTIONS + " made-up=1")
    there = run(tree)
    arrival(there)
    assert "unknown option on the hypervisor's command line: made-up=1" in there.text


# ---- machine --------------------------------------------------------------------------------------------------------------
def test_no_gic(refuses, tree):
    """No interrupt controller in the tree."""
    tree.remove("intc")
    refuses("names no interrupt controller", tree)


def test_gicv2(refuses, tmp_path):
    """A machine that has a GICv2 only."""
    root = bare.host_tree(tmp_path, gic=2)
    root["chosen"].properties["bootargs"] = text(OPTIONS)
    root["chosen"].properties.update({"#address-cells": cells(2), "#size-cells": cells(2)})
    module(root, "kernel", KERNEL, ARRIVE.stat().st_size)
    refuses("this machine has a GICv2; Domus needs a GICv3", root, gic=2)


def test_gicv3_in_the_tree_of_a_machine_without(refuses, tree):
    """The registers decide."""
    tree["intc"].properties["reg"] = pairs(RAM + 0xa000000, 0x10000, 0x080a0000, 0xf60000)
    refuses("the interrupt controller is not a GICv3", tree)


def test_registers_that_nobody_answers_at(run, tree):
    """The hypervisor's own fault: what, where, and who called; then a reset."""
    tree["intc"].properties["reg"] = pairs(0x0c000000, 0x10000, 0x080a0000, 0xf60000)
    console = run(tree).until("the machine is reset")
    assert re.search(r"the hypervisor faulted: synchronous exception, ESR \w+, FAR \w+", console)
    assert re.search(r"called from:\n.* gic_init\+\d+\n(.*\n)*.* boot_init\+\d+\n", console)


def test_el1(run, tree):
    """Without the virtualization extensions, or started one level too low."""
    run(tree, virtualization=False).until("started at EL1 (or EL3), but a hypervisor needs EL2. On QEMU: -M virt,virtualization=on\n")


def test_el1_on_an_unknown_board(run, tree):
    """The UART that stdout-path names is found without the MMU, too."""
    tree.properties["compatible"] = text("nobody,knows")
    run(tree, virtualization=False).until("started at EL1 (or EL3), but a hypervisor needs EL2. On QEMU: -M virt,virtualization=on\n")


def test_no_psci(refuses, tree):
    """No way to start or stop a CPU."""
    tree.remove("psci")
    refuses("has no PSCI 0.2 or newer with method smc", tree)


def test_psci_by_hvc(refuses, tree):
    """The hypervisor cannot call itself."""
    tree["psci"].properties["method"] = text("hvc")
    refuses("has no PSCI 0.2 or newer with method smc", tree)


def test_no_cpus(refuses, tree):
    """No /cpus node."""
    tree.remove("cpus")
    refuses("has no /cpus node", tree)


def test_no_timer(refuses, tree):
    """No Armv8 timer."""
    tree.remove("timer")
    refuses("no Armv8 timer", tree)


# ---- device tree ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("x0", [0, TREE + 4, 1 << 60])
def test_no_device_tree(refuses, tree, x0):
    """x0 is 0, not aligned, beyond all memory."""
    refuses(rf"gave no device tree .x0 = {x0:x}.", tree, x0=x0)


@pytest.mark.parametrize("blob", [b"no tree at all", bytes(4096), b"\xff" * 4096])
def test_something_else_than_a_device_tree(refuses, blob):
    """Text, zeros, ones."""
    refuses(f"there is no device tree at {TREE:x}", blob)


@pytest.mark.parametrize("keep", [4, 39, 56, 200, 1000, 0.5, 0.9])
def test_truncated_device_tree(refuses, tree, keep):
    """Cut in its header, structure and strings. (Within the last name nothing could tell: behind the cut there are zeros.)"""
    blob = flatten(tree)
    refuses("the device tree is damaged|there is no device tree|has 0 bytes", blob[:keep if keep > 1 else int(len(blob) * keep)])


def test_device_tree_that_is_too_big(refuses, tree):
    """More than 2 MiB."""
    tree.add("ballast", fill=bytes(3 << 20))
    refuses("has 3.* bytes, more than the 2 MiB", tree)


def test_device_tree_that_is_too_deep(refuses, tree):
    """A hundred nodes inside one another."""
    node = tree
    for _ in range(100):
        node = node.add("deeper")
    refuses("its nodes are more than 32 levels deep", tree)


def test_aliases_and_parents_in_a_circle(run, tree):
    """stdout-path that leads to itself, interrupt parents that are each other's: no hang."""
    tree["chosen"].properties["stdout-path"] = text("loop")
    tree.add("aliases", loop=text("loop"))
    one = tree.add("one", phandle=cells(0x7001), **{"interrupt-parent": cells(0x7002), "interrupts": cells(0, 1, 4)})
    two = tree.add("two", phandle=cells(0x7002), **{"interrupt-parent": cells(0x7001), "interrupts": cells(0, 1, 4)})
    one.properties["interrupts-extended"] = cells(0x7002, 0, 1, 4)
    two.properties["interrupts-extended"] = cells(0x7001, 0, 1, 4)
    there = run(tree)
    arrival(there)
    assert "the board's own is used" in there.text


def test_unknown_board_with_a_damaged_tree(refuses, tree):
    """Nothing says where a console is: the one that says itself what it is gets the line."""
    tree.properties["compatible"] = text("nobody,knows")
    refuses("the device tree is damaged", flatten(tree)[:1000])


def test_unknown_board_with_a_console(run, tree):
    """stdout-path is enough."""
    tree.properties["compatible"] = text("nobody,knows")
    arrival(run(tree))
