"""Power, from keeper's side: what no booted domain uses is off, seen by keeper, by the device and from outside.

domusd is stopped meanwhile: the rule holds without it. Domains are made with keeperctl, in Dom0, by keeper's own verbs."""
import re

import pytest

from domus.appliance import BUILD
from domus.dom0 import Dom0
from domus.outside import Outside
from domus.processes import wait_until

DISK, NIC, PORT = "pcie-00.04.0", "pcie-00.05.0", "usb-00.03.0-1.1"
DEVICE = {DISK: 4, NIC: 5}
HUB_PORT = "/sys/bus/usb/devices/1-1/1-1:1.0/1-1-port1"


class Rails:
    """Keeper's verbs in Dom0, and the two other views of the same devices."""

    def __init__(self, appliance, images, dom0):
        self.appliance, self.images, self.dom0 = appliance, images, dom0

    def keeper(self, arguments):
        """keeperctl; returns (exit status, output)."""
        return self.dom0.status(f"/run/keeperctl /run/domus/keeper.sock {arguments}")

    def device(self, name):
        """What keeper reads back: a dictionary of the words of its line."""
        status, text = self.keeper(f"device {name}")
        assert status == 0, text
        words = re.search(r"^(\S+) (\S+) gate (\S+) cause (\S+) holder (\S+) kept (\d)", text, re.M)
        assert words, text
        return {"power": words[2], "gate": words[3], "cause": words[4], "holder": words[5], "line": text}

    def create(self, name, extra, kernel="idle"):
        """Creates a guest, of Debian with "kernel"; returns (exit status, output)."""
        size = f"initrd={self.images['initrd']} memory=256 cmdline='console=hvc0 quiet'" if kernel == "kernel" else "memory=32"
        return self.keeper(f"create {name} kernel={self.images[kernel]} {size} {extra}")

    def answers(self, name):
        """The device's own view: does anything answer in the slot or port?"""
        if name == PORT:
            return self.dom0.run(f"cat {HUB_PORT}/state").strip() != "not attached"
        # a look at the bus asks every function for its vendor: one without power answers all-ones and is not found
        self.dom0.run("echo 1 >/sys/bus/pci/rescan")
        return self.dom0.status(f"ls -d /sys/bus/pci/devices/0000:00:0{DEVICE[name]}.0/0000:0[1-9]:*")[0] == 0

    def views(self, name):
        """(keeper, device, outside): is it on? Of a USB drive, outside is whether it serves a read."""
        keeper, device = self.device(name)["power"] == "on", self.answers(name)
        with Outside(self.appliance.run_dir) as outside:
            if name != PORT:
                return keeper, device, outside.slot_mapped(DEVICE[name])
            before = outside.reads("usbdrive")
            self.dom0.status("cat /sys/class/block/sd*/dev; busybox dd if=$(ls /dev/sd? | head -1) of=/dev/null bs=4k count=1 iflag=direct")
            return keeper, device, outside.reads("usbdrive") > before

    def all_views(self):
        """The views of all three."""
        return {name: self.views(name) for name in (DISK, NIC, PORT)}


OFF = {name: (False, False, False) for name in (DISK, NIC, PORT)}


@pytest.fixture(scope="module")
def rails(appliance, images):
    """keeperctl in Dom0, and domusd out of the way until the end."""
    dom0 = Dom0(appliance, {"keeperctl": (BUILD / "agent" / "arm64" / "keeperctl").read_bytes()})
    dom0.run("systemctl stop domusd")
    yield Rails(appliance, images, dom0)
    dom0.run("systemctl start domusd")
    dom0.close()


@pytest.fixture
def guest(rails):
    """Creates guests; what a test made is killed after it."""
    made = []

    def create(name, extra, **options):
        status, text = rails.create(name, extra, **options)
        assert status == 0, text
        made.append(name)
        return name
    yield create
    for name in made:
        rails.keeper(f"kill {name}")
    for name in (DISK, NIC, PORT):
        assert rails.device(name)["power"] == "off", name


def test_what_nobody_owns_is_off_by_default(rails):
    assert rails.all_views() == OFF
    for name in (DISK, NIC, PORT):
        assert rails.device(name)["cause"] in ("boot", "end"), name


def test_inventory_says_why_the_appliance_keeps_what_it_keeps(rails):
    lines = rails.keeper("devices")[1]
    card = re.search(r"^pcie-00\.01\.0 .*", lines, re.M)[0]
    port = re.search(r"^pcie-00\.02\.0 .*", lines, re.M)[0]
    assert "needed \"The appliance's own system is on it.\"" in card
    assert 'needed "The appliance is reached through it."' in port
    status, text = rails.keeper("off pcie-00.01.0")
    assert status == 1 and "device.needed" in text
    assert re.findall(r"^cpu-(\d) on ", lines, re.M)[:2] == ["0", "1"]  # Dom0's


def test_crash_switches_off_before_anybody_asks(rails, guest):
    guest("crash", f"device={NIC} device={DISK} diskdev=xvda:{DISK}", kernel="crash")
    for name in (NIC, DISK):
        wait_until(lambda n=name: rails.views(n) == (False, False, False), "the slot to be off", 60)
        assert rails.device(name)["cause"] == "end"
    assert "crash crashed" in rails.keeper("list")[1]
    # what is killed first: the back end of its disk still holds what is gone; the next test reads from that disk


def test_devices_are_on_while_their_domain_lives_and_off_after_its_kill(rails, guest):
    with Outside(rails.appliance.run_dir) as outside:
        before = outside.reads("usbdrive")
    guest("owner", f"device={PORT} device={NIC} device={DISK} diskdev=xvda:{PORT} diskdev=xvdb:{DISK} nicdev={NIC}", kernel="kernel")
    assert {name: rails.device(name)["holder"] for name in (DISK, NIC, PORT)} == {DISK: "owner", NIC: "owner", PORT: "owner"}
    status, text = rails.keeper("console owner 240 'guest: ready'")
    assert status == 0, text
    # the guest's own view: the drive in the port, the disk in the slot, and a link through the card
    status, text = rails.keeper("console owner 120 'DONE42' 'cat /sys/class/block/xvda/size /sys/class/block/xvdb/size; "
                                "dd if=/dev/xvda of=/dev/null bs=64k count=4; dd if=/dev/xvdb of=/dev/null bs=64k count=3; "
                                "cat /sys/class/net/eth0/carrier; echo DONE$((6*7))'")
    assert status == 0 and "8388608" in text and "2097152" in text and "3+0 records in" in text and re.search(r"^1\s*$", text, re.M), text
    with Outside(rails.appliance.run_dir) as outside:
        assert outside.slot_mapped(DEVICE[DISK]) and outside.slot_mapped(DEVICE[NIC])
        assert outside.reads("usbdrive") > before
    bridge = rails.dom0.run("ls -d /sys/class/net/up-*/brif/*")
    assert len(bridge.split()) == 2, bridge
    assert rails.keeper("kill owner")[0] == 0
    # the answer comes after the read back
    assert rails.all_views() == OFF
    assert rails.dom0.status("ls -d /sys/class/net/up-*")[0] != 0


def test_second_domain_does_not_get_the_device(rails, guest):
    guest("first", f"device={NIC} paused=1")
    status, text = rails.create("second", f"device={NIC} paused=1")
    assert status == 1 and "device.in_use at /devices/0" in text, text
    status, text = rails.keeper(f"off {NIC}")
    assert status == 1 and "device.in_use" in text, text


@pytest.mark.parametrize("device,code", [("pcie-00.01.0", "device.needed"), ("pcie-00.1f.0", "device.unknown"),
                                         ("cpu-1", "rail.unsupported")])
def test_device_that_no_domain_can_have(rails, device, code):
    status, text = rails.create("greedy", f"device={device}")
    assert status == 1 and f"error {code} at /devices/0" in text, text


def test_keeper_killed_leaves_a_living_domain_its_devices(rails, guest):
    guest("lives", f"device={DISK} diskdev=xvda:{DISK} paused=1")
    rails.dom0.run("kill -9 $(busybox pidof keeper)")
    wait_until(lambda: rails.keeper("list")[0] == 0, "keeper to be back", 60, 0.5)
    assert rails.device(DISK)["holder"] == "lives"
    assert rails.views(DISK) == (True, True, True)


def test_domain_that_ended_while_no_keeper_ran(rails, guest):
    guest("dies", f"device={NIC} paused=1")
    rails.dom0.run("systemctl stop keeper; xl destroy dies; systemctl start keeper")
    # systemctl start is back when keeper is ready, and by then it is off
    assert rails.device(NIC)["power"] == "off" and rails.device(NIC)["cause"] == "end"
    assert rails.views(NIC) == (False, False, False)


def test_pulled_drive_is_told_and_comes_back(rails, guest):
    guest("pulled", f"device={PORT} diskdev=xvda:{PORT} paused=1")
    with Outside(rails.appliance.run_dir) as outside:
        outside.ask("device_del", id="usbdrive")
        line = wait_until(lambda: "holds" not in (d := rails.device(PORT))["line"] and d, "the drive to be gone", 30)
        assert (line["holder"], line["power"]) == ("pulled", "on")
        outside.ask("blockdev-add", **{"driver": "raw", "node-name": "usbagain", "file": {"driver": "file", "filename": "usb.img"}})
        outside.ask("device_add", driver="usb-storage", id="usbdrive", bus="usb.0", port="1.1", drive="usbagain")
    wait_until(lambda: "holds disk sd" in rails.device(PORT)["line"], "the drive to be back", 60)


def test_views_tell_a_device_that_is_on_against_the_rule_and_keeper_corrects(rails):
    """The negative control: with keeper held still, all three views see the device that somebody switches on."""
    rails.dom0.run("kill -STOP $(busybox pidof keeper)")
    rails.dom0.slot(DEVICE[NIC], True)
    assert rails.answers(NIC)
    with Outside(rails.appliance.run_dir) as outside:
        assert outside.slot_mapped(DEVICE[NIC])
        rails.dom0.run("kill -CONT $(busybox pidof keeper)")
        wait_until(lambda: not outside.slot_mapped(DEVICE[NIC]), "keeper to correct it", 30)
    assert rails.device(NIC)["cause"] == "correct"
    assert rails.views(NIC) == (False, False, False)
