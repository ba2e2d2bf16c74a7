"""Hostile guests for half a minute beside a quiet one and Dom0 (tests/soak/hostile, which runs for longer and with more)."""
import os
import subprocess

from domus import bare


def test_a_hostile_guest_harms_nobody():
    """A wild and a careful one, 4 vCPUs each on 2 CPUs, ended in the middle of what they do and made again."""
    options = {"SECONDS_ALL": "30", "GUESTS": "2", "ROUND": "8", "PROBE": "0", "LAB_CPUS": "2", "LAB_TIMEOUT": "900"}
    done = subprocess.run([bare.ROOT / "tests/soak/hostile"], env={**os.environ, "BUILD": str(bare.BUILD), **options},
                          encoding="utf-8", errors="replace",  # a guest that spoiled itself prints anything
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout
    assert "hostile: " in done.stdout and "FAILED" not in done.stdout, done.stdout
