"""QEMU's virt board with nothing but our hypervisor in it, as a boot loader leaves it: image, device tree, modules in memory."""
import json
import os
import pathlib
import select
import socket
import struct
import subprocess
import time

from . import fdt

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build"))
HYPERVISOR = BUILD / "hypervisor/domus"
RAM, RAM_SIZE = 0x40000000, 256 << 20
LOADER, IMAGE, KERNEL, RAMDISK, TREE = RAM + 0x100000, RAM + 0x200000, RAM + 0x4000000, RAM + 0x6000000, RAM + 0xf000000
END = "the hypervisor stops here"


def machine(gic=3, virtualization=True):
    """-M for QEMU."""
    return f"virt,gic-version={gic},virtualization={'on' if virtualization else 'off'}"


def host_tree(tmp, cpus=2, **options):
    """The board's device tree as QEMU describes it: (root, reservations)."""
    file = tmp / "host.dtb"
    subprocess.run(["qemu-system-aarch64", "-M", f"{machine(**options)},dumpdtb={file}", "-cpu", "cortex-a72", "-smp", str(cpus),
                    "-m", f"{RAM_SIZE >> 20}M", "-nographic", "-nic", "none"], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return fdt.parse(file.read_bytes())[0]


def boot_loader(x0):
    """What jumps to the image with x0: ldr x0, +16; ldr x1, +20; br x1; nop; the two numbers."""
    return struct.pack("<4I2Q", 0x58000080, 0x580000a1, 0xd61f0020, 0xd503201f, x0, IMAGE)


class Bare:
    """One run. `tree` is a blob or None, `memory` says what else lies where: {address: bytes}."""

    def __init__(self, tmp, tree, memory, x0=TREE, cpus=2, **options):
        self.text = ""
        self.tmp = tmp
        pieces = {LOADER: boot_loader(x0), IMAGE: HYPERVISOR.read_bytes(), **memory}
        if tree is not None:
            pieces[TREE] = tree
        command = ["qemu-system-aarch64", "-M", machine(**options), "-cpu", "cortex-a72", "-smp", str(cpus), "-m",
                   f"{RAM_SIZE >> 20}M", "-display", "none", "-serial", "stdio", "-monitor", "none", "-nic", "none", "-no-reboot",
                   "-qmp", f"unix:{tmp}/qmp,server=on,wait=off", "-device", f"loader,addr={LOADER:#x},cpu-num=0"]
        for address, data in pieces.items():
            file = tmp / f"{address:x}"
            file.write_bytes(data)
            command += ["-device", f"loader,file={file},addr={address:#x},force-raw=on"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def until(self, *ends, seconds=60):
        """The console's text until one of the ends is in it. The limit only makes a hang a failure."""
        limit = time.monotonic() + seconds
        while not any(end in self.text for end in ends):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, limit - time.monotonic()))
            piece = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            assert piece, f"no {ends} on the console, but:\n{self.text}"
            self.text += piece.decode(errors="replace").replace("\r", "")
        return self.text

    def memory(self, address, size):
        """What lies in the machine's memory."""
        file = self.tmp / "saved"
        with socket.socket(socket.AF_UNIX) as qmp:
            qmp.connect(f"{self.tmp}/qmp")
            stream = qmp.makefile("rw")
            for command, arguments in (("qmp_capabilities", {}), ("stop", {}),
                                       ("pmemsave", {"val": address, "size": size, "filename": str(file)}), ("cont", {})):
                json.dump({"execute": command, "arguments": arguments}, stream)
                stream.flush()
                while "return" not in (answer := json.loads(stream.readline())):
                    assert "error" not in answer, answer
        return file.read_bytes()
