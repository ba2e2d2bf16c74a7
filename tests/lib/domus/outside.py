"""The appliance's board as seen from outside, by QMP: what the machine itself says about power, whatever software believes."""
import json
import os
import re
import socket

UNMAPPED = (1 << 64) - 1


class Outside:
    """A connection to QEMU's qmp.sock in a RUN folder."""

    def __init__(self, run_dir):
        self.sock = socket.socket(socket.AF_UNIX)
        here = os.open(".", os.O_RDONLY)
        try:
            os.chdir(run_dir)  # the path of a socket is limited to 107 bytes
            self.sock.connect("qmp.sock")
        finally:
            os.chdir(here)
            os.close(here)
        self.file = self.sock.makefile("rw")
        self.file.readline()
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        """One command; returns what it returns. AssertionError when QEMU refuses."""
        self.file.write(json.dumps({"execute": command, **({"arguments": arguments} if arguments else {})}) + "\n")
        self.file.flush()
        while True:
            answer = json.loads(self.file.readline())
            if "event" not in answer:
                assert "return" in answer, answer
                return answer["return"]

    def slots_mapped(self):
        """{number of a root port: does the machine map any register window of the card behind it?}, of those that hold one."""
        ports = [d for bus in self.ask("query-pci") for d in bus["devices"] if d["bus"] == 0 and "pci_bridge" in d]
        return {port["slot"]: any(region["address"] % (1 << 64) != UNMAPPED for card in port["pci_bridge"]["devices"]
                                  for region in card["regions"]) for port in ports if port["pci_bridge"].get("devices")}

    def slot_mapped(self, device):
        """Does the machine map any register window of the card behind root port 00:device.0?"""
        return self.slots_mapped()[device]

    def registers(self):
        """{core: its program counter} (HMP "info registers -a")."""
        text = self.ask("human-monitor-command", **{"command-line": "info registers -a"})
        return {int(core): int(pc, 16) for core, pc in re.findall(r"CPU#(\d+)\s+PC=([0-9a-f]+)", text)}

    def drives(self):
        """{id of a device: how many read operations its drive has served since it was plugged in}."""
        return {found[1]: b["stats"]["rd_operations"] for b in self.ask("query-blockstats")
                if (found := re.search(r"/peripheral/([^/]+)/", b.get("qdev", "")))}

    def reads(self, device):
        """The read operations of one drive."""
        return self.drives()[device]

    def close(self):
        """Lets QEMU talk to somebody else: it serves one at a time."""
        self.file.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
