"""The appliance itself, in QEMU on stock Xen, by the commands that a user types: make run, make stop."""
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import time

from domus import processes
from domus.client import Client
from domus.contract import ROOT

BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
RUN = pathlib.Path(os.environ.get("TEST_RUN", BUILD / "run-test"))
RUN = RUN if RUN.is_absolute() else ROOT / RUN
GUESTS = BUILD / "test-guests"
KERNEL = BUILD / "image" / "boot" / "kernel"
PORT = int(os.environ.get("TEST_PORT", "8521"))


def make(*arguments, check=True, env=None):
    """make with arguments; returns its result. Without check a failure is the caller's to judge."""
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "BUILD")}
    done = subprocess.run(["make", "--no-print-directory", *arguments], cwd=ROOT, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, env={**environment, **(env or {})})
    if check:
        assert done.returncode == 0, f"make {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout[-4000:]}"
    return done


class Appliance:
    """One appliance in one RUN folder. It runs with DEBUG=1, which adds a root shell of Dom0 for the tests of faults."""

    def __init__(self, run=RUN, port=PORT):
        self.run_dir, self.port = pathlib.Path(run), port
        self.client = Client(lambda: ("127.0.0.1", self.port), self.run_dir / "ca.pem", timeout=300)
        self.output = ""

    def run(self, fresh=False, **variables):
        """make run DETACH=1."""
        values = {"DETACH": 1, "RUN": self.run_dir, "PORT": self.port, "DEBUG": 1, "DEBUG_CMDLINE": "quiet", **variables}
        if fresh:
            values["FRESH"] = 1
        self.output = make("run", *(f"{k}={v}" for k, v in values.items())).stdout

    def stop(self):
        """make stop."""
        return make("stop", f"RUN={self.run_dir}").stdout

    def claim_code(self):
        """The code in the dashboard's URL, as make run prints it."""
        match = re.search(r"https://127\.0\.0\.1:\d+/#claim=(\S+)", self.output)
        assert match, f"no URL with a claim code in:\n{self.output}"
        return match.group(1)

    def pid(self):
        """QEMU's process: the one that listens on qmp.sock (unix(7), SO_PEERCRED)."""
        with socket.socket(socket.AF_UNIX) as s:
            here = os.open(".", os.O_RDONLY)
            try:
                os.chdir(self.run_dir)
                s.connect("qmp.sock")
            finally:
                os.chdir(here)
                os.close(here)
            return struct.unpack("3i", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]

    def power_cut(self):
        """The plug is pulled: SIGKILL to QEMU."""
        pid = self.pid()
        os.kill(pid, signal.SIGKILL)
        processes.wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists()
                             or pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z", "QEMU to be gone")

    def console(self):
        """The end of console.log, for a failure report."""
        return "--- console.log\n" + processes.tail(self.run_dir / "console.log", 80)

    def dom0(self, command, timeout=120):
        """Runs a shell command in Dom0 as root, on the debug console; returns its output. AssertionError unless it succeeds."""
        status, text = self.dom0_status(command, timeout)
        assert status == 0, f"{command} in Dom0 ended with {status}: {text}"
        return text

    def dom0_status(self, command, timeout=120):
        """Runs a shell command in Dom0; returns (exit status, output)."""
        mark = f"M{time.monotonic_ns():x}"
        with socket.socket(socket.AF_UNIX) as s:
            here = os.open(".", os.O_RDONLY)
            try:
                os.chdir(self.run_dir)
                s.connect("console.sock")
            finally:
                os.chdir(here)
                os.close(here)
            s.settimeout(1)
            # the mark is put together by the shell, so the echo of the line is not taken for its output
            # one line: what is typed while a command runs is echoed into its output
            then = "" if command.rstrip().endswith("&") else ";"
            line = f"echo {mark[:3]}''{mark[3:]}; {command}{then} echo {mark[:3]}''{mark[3:]} $?\n"
            for piece in (line[i:i + 64] for i in range(0, len(line), 64)):
                s.sendall(piece.encode())
                time.sleep(0.01)
            seen, end = "", time.monotonic() + timeout
            while time.monotonic() < end:
                try:
                    piece = s.recv(65536)
                    assert piece, "QEMU closed the console"
                    # without what readline draws with
                    seen = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]|\r", "", seen + piece.decode("utf-8", "replace"))
                except socket.timeout:
                    pass
                match = re.search(rf"{mark}\n(.*?){mark} (\d+)\n", seen, re.S)
                if match:
                    lines = [l for l in match.group(1).splitlines() if mark[3:] not in l]
                    return int(match.group(2)), "\n".join(lines)
        raise AssertionError(f"Dom0's console did not answer to {command!r}: {seen[-1000:]!r}")
