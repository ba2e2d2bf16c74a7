"""make run on a machine that is not ready: one clear sentence and exit status 1, before anything is built or booted."""
import os
import pathlib
import shutil
import socket
import subprocess

import pytest

from domus import appliance
from domus.contract import ROOT
from domus.hostagent import tmpfs_possible, tmpfs_prefix

BOARD = ROOT / "packaging" / "qemu" / "board"


def one_sentence(done):
    """The only thing that was said, on one line."""
    assert done.returncode != 0
    said = [line for line in done.stdout.splitlines() if line.startswith("domus: ")]
    assert len(said) == 1, done.stdout
    return said[0]


def board(tmp_path, prefix=(), **env):
    """packaging/qemu/board check, which make run calls first."""
    values = {"RUN": str(tmp_path / "run"), "BUILD": str(appliance.BUILD), "PORT": "8522", **env}
    return subprocess.run([*prefix, str(BOARD), "check"], cwd=ROOT, env={**os.environ, **values}, text=True, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_taken_port(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = appliance.make("run", "DETACH=1", f"RUN={tmp_path / 'run'}", f"PORT={port}", check=False)
    said = one_sentence(done)
    assert str(port) in said and "PORT=" in said


def test_missing_qemu(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for folder in os.environ["PATH"].split(":"):
        for tool in pathlib.Path(folder).glob("*") if folder else ():
            if not tool.name.startswith("qemu-system") and not (tools / tool.name).exists():
                (tools / tool.name).symlink_to(tool)
    said = one_sentence(board(tmp_path, PATH=str(tools)))
    assert "qemu-system-aarch64" in said and "install" in said


def test_old_qemu(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    old = tools / "qemu-system-aarch64"
    old.write_text("#!/bin/sh\necho QEMU emulator version 6.2.0\n")
    old.chmod(0o755)
    said = one_sentence(board(tmp_path, PATH=f"{tools}:{os.environ['PATH']}"))
    assert "7.2" in said


def test_too_little_disk(tmp_path):
    if not tmpfs_possible():
        pytest.fail("mounting a tmpfs in a namespace of one's own is not allowed here: see unshare(1)")
    small = tmp_path / "small"
    small.mkdir()
    said = one_sentence(board(tmp_path, prefix=tmpfs_prefix(small, 32 << 20), RUN=str(small / "run")))
    assert "disk" in said and "GiB" in said


@pytest.mark.parametrize("variable,value", [("PORT", "http"), ("PORT", "70000"), ("CPUS", "0"), ("CPUS", "many"), ("MEMORY", "lots"),
                                            ("MEMORY", "256M"), ("HYPERVISOR", "vmware")])
def test_wrong_variable(tmp_path, variable, value):
    assert variable in one_sentence(board(tmp_path, **{variable: value}))


def test_refusal_leaves_nothing_behind(tmp_path):
    board(tmp_path, PORT="x")
    assert not (tmp_path / "run").exists()


def test_stop_without_anything_running(tmp_path):
    done = appliance.make("stop", f"RUN={tmp_path / 'run'}")
    assert "no appliance" in done.stdout


def test_needed_tools_are_in_the_package_list():
    listed = (ROOT / "packaging" / "packages").read_text(encoding="utf-8")
    for package in ("qemu-system-arm", "mmdebstrap", "python3-pytest", "chromium"):
        assert package in listed
    assert shutil.which("qemu-system-aarch64")
