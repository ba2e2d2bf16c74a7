"""Devices of the SoC with power rails on QEMU's board: what the test image of the hypervisor (tests/system/guests/scu) simulates.
The registers are QEMU's own; only their power is the simulated firmware's."""
import re

from domus import fdt

FWCFG, TRANSPORT, SPARE = "platform-9020000.fw-cfg", "platform-a001000.virtio-mmio", "platform-a002000.virtio-mmio"
GROUP = ("platform-a000000.virtio-mmio", "platform-a000200.virtio-mmio")
OWN = "platform-a003000.virtio-mmio"  # the appliance's
# resources of the firmware (i.MX8QM's numbers), and a register that never changes: (address, value)
RESOURCES = {FWCFG: (249,), TRANSPORT: (252, 253), SPARE: (254,), GROUP[0]: (250, 251), GROUP[1]: (250, 251), OWN: (255,)}
VIRT = 0x74726976  # "virt", MagicValue (virtio 1.2, 4.2.2)
REGISTER = {FWCFG: (0x9020010, int.from_bytes(b"QEMU", "little")), TRANSPORT: (0xa001000, VIRT), SPARE: (0xa002000, VIRT),
            GROUP[0]: (0xa000000, VIRT), GROUP[1]: (0xa000200, VIRT), OWN: (0xa003000, VIRT)}
OURS = tuple(d for d in REGISTER if d != OWN)  # nobody's at boot
CONSOLE, MAILBOX, SPI = 57, 0xb000000, 200


def change(path):
    """QEMU's device tree, with a system controller and power domains."""
    root, reservations = fdt.parse(path.read_bytes())
    handle, mailbox = 0x7001, 0x7002
    root.add(f"mailbox@{MAILBOX:x}", compatible=fdt.text("fsl,imx8-mu-scu"), reg=fdt.pairs(MAILBOX, 0x1000), phandle=fdt.cells(mailbox),
             interrupts=fdt.cells(0, SPI, 4)).properties["#mbox-cells"] = fdt.cells(2)
    scu = root.add("system-controller", compatible=fdt.text("fsl,imx-scu"), mboxes=fdt.cells(mailbox, 0, 0, mailbox, 1, 0))
    scu.add("power-controller", compatible=fdt.text("fsl,imx8qm-scu-pd", "fsl,scu-pd"),
            phandle=fdt.cells(handle)).properties["#power-domain-cells"] = fdt.cells(1)
    # a page of registers has eight of these; two in the first are a group, in the others one is left
    keep = {"a000000": (250,), "a000200": (251,), "a001000": (252, 253), "a002000": (254,), "a003000": (255,)}
    root.children = [c for c in root.children if not c.name.startswith("virtio_mmio@") or c.name.split("@")[1] in keep]
    for node in root.children:
        address = node.name.split("@")[-1]
        resources = {"9000000": (CONSOLE,), "9020000": (249,), **keep}.get(address)
        if resources:
            node.properties["power-domains"] = b"".join(fdt.cells(handle, r) for r in resources)
        if address == "a001000":
            node.properties["xen,passthrough"] = b""
        elif resources and address not in ("9000000", "a003000"):
            node.properties["status"] = fdt.text("disabled")
    path.write_bytes(fdt.flatten(root, reservations))


class Simulator:
    """The test image's system controller: what its firmware does wrong, and its lines on the console, which say what has power."""
    CONTROL, BUSY, POWERED, BROKEN = 0xb010000, 0xb010010, 0xb010014, 0xb010018
    FINE, STATUS, STUCK_ON, STUCK_OFF, LATE = 0, 1, 2, 3, 6
    BREAK, VOTE, LATENCY, BRIDGE = 1, 2, 3, 4
    NO_ACCESS, ANY = 4, 0xffffffff

    def __init__(self, dom0, console):
        self.dom0, self.console, self.touched = dom0, console, False

    def order(self, order, *words):
        """Writes the words and the order, and waits until the simulator has carried it out."""
        self.touched = True
        words = " ".join(map(str, (words + (0, 0, 0, 0))[:4]))
        self.dom0.run(f"cd /run && ./registers write {self.CONTROL} {words} {order} && ./registers until {self.BUSY} {order}")

    def fault(self, kind, resource=ANY, value=0, count=0):
        """One fault at a time (enum sim_fault)."""
        self.order(self.BREAK, kind, resource, value, count)

    def reset(self):
        """As at the boot, but for what has power."""
        if self.touched:
            self.fault(self.FINE)
            self.order(self.LATENCY, 0, 0, 20)
            self.order(self.BRIDGE, 0, 0, 0)
        self.touched = False

    def registers(self, *addresses):
        """The words in registers, read in Dom0; None: the access was aborted."""
        text = self.dom0.run("\n".join(f"/run/registers read {a}" for a in addresses))
        return [None if word == "abort" else int(word, 16) for word in text.split()]

    def powered(self):
        """{resource} of those with power, by the lines on the console."""
        found = set()
        for resource, state in re.findall(r"\] scu: (\d+) (on|off)\b", self.console.read_text(encoding="utf-8", errors="replace")):
            (found.add if state == "on" else found.discard)(int(resource))
        return found
