"""A domain whose disk is the drive in a USB port boots from it, and the port has power only while the domain lives."""
import subprocess

import pytest

from domus.appliance import BUILD
from domus.outside import Outside
from domus.power import device, wait_power
from domus.streams import Console

PORT = "usb-00.03.0-1.1"
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev 2>/dev/null
boots=$(($(cat /boots) + 1))
echo $boots >/boots
sync
echo "drive: boot $boots from $(sed -n 's/^\\([^ ]*\\) \\/ ext4.*/\\1/p' /proc/mounts)"
while :; do setsid cttyhack sh; done
"""


@pytest.fixture
def drive(appliance, tmp_path):
    """A system is on the drive before the port ever had power: what somebody has prepared elsewhere. Yields the drive's file."""
    tree, file = tmp_path / "tree", appliance.run_dir / "usb.img"
    for name in ("bin", "sbin", "dev", "proc"):
        (tree / name).mkdir(parents=True)
    (tree / "bin/busybox").write_bytes((BUILD / "image/root/usr/bin/busybox").read_bytes())
    (tree / "sbin/init").write_text(INIT, encoding="utf-8")
    (tree / "boots").write_text("0\n", encoding="utf-8")
    for program in ("bin/busybox", "sbin/init"):
        (tree / program).chmod(0o755)
    made = tmp_path / "drive.ext4"
    subprocess.run(["mkfs.ext4", "-q", "-d", tree, made, "32M"], check=True)
    with open(file, "r+b") as f:
        f.write(made.read_bytes())
    yield file
    with open(file, "r+b") as f:
        f.write(bytes(1 << 20))


def boots_on(file):
    """What the drive itself says, read from outside."""
    return subprocess.run(["debugfs", "-R", "cat /boots", file], capture_output=True, text=True, check=True).stdout.strip()


def test_domain_boots_from_the_drive_in_a_usb_port(appliance, api, images, define, drive):
    boot = {"kernel": images["kernel"], "initrd": images["initrd"], "cmdline": "console=hvc0 quiet root=/dev/xvda"}
    define("android", boot=boot, devices=[PORT], disks=[{"name": "xvda", "source": {"device": PORT}}])
    with Outside(appliance.run_dir) as outside:
        assert device(api, PORT)["power"]["actual"] == "off" and outside.reads("usbdrive") == 0
        for number in (1, 2):
            api.act("android", "start")
            with Console(api, "android") as console:
                console.expect(f"drive: boot {number} from /dev/xvda".encode())
            power = device(api, PORT)["power"]
            assert (power["actual"], power["wanted"]) == ("on", "on") and "android" in power["reason"], power
            api.act("android", "kill")
            wait_power(api, PORT, "off")
            reads = outside.reads("usbdrive")
            assert reads > 0 and boots_on(drive) == str(number)
        assert outside.reads("usbdrive") == reads
