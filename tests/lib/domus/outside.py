"""The appliance's board as seen from outside, by QMP: what the machine itself says about power, whatever software believes."""
import json
import os
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

    def slot_mapped(self, device):
        """Does the machine map any register window of the card behind root port 00:device.0?"""
        ports = [d for bus in self.ask("query-pci") for d in bus["devices"]
                 if d["bus"] == 0 and d["slot"] == device and "pci_bridge" in d]
        assert len(ports) == 1, ports
        cards = ports[0]["pci_bridge"].get("devices", [])
        assert cards, f"no card behind 00:{device:02x}.0"
        return any(region["address"] % (1 << 64) != UNMAPPED for card in cards for region in card["regions"])

    def reads(self, drive):
        """How many read operations the drive has served since the machine was switched on."""
        found = [b["stats"]["rd_operations"] for b in self.ask("query-blockstats") if b.get("device") == drive]
        assert len(found) == 1, f"no drive {drive}"
        return found[0]

    def close(self):
        """Lets QEMU talk to somebody else: it serves one at a time."""
        self.file.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
