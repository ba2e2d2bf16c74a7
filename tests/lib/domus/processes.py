"""Waiting for, looking at and ending the processes that a test has started."""
import os
import pathlib
import time


def wait_until(condition, what, timeout=60, pause=0.05):
    """Waits for condition() to be true and returns its value; AssertionError with what when it does not come."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout} s in vain: {what}")
        time.sleep(pause)


def status_kib(pid, field):
    """A field of /proc/PID/status in KiB, such as VmRSS."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise KeyError(field)


def open_files(pid):
    """How many descriptors the process holds."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def tail(path, count=60):
    """The last lines of a log, for a failure report."""
    try:
        lines = pathlib.Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return f"({path} does not exist)"
    return "\n".join(lines[-count:])
