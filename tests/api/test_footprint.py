"""The figures that a small board needs. Sizes and memory, never times."""
import hashlib
import shutil
import subprocess

from domus import hostagent
from domus.processes import open_files, status_kib, wait_until
from domus.streams import Events


MIB = 1 << 20


def test_idle_domusd_is_under_20_mib(fresh):
    fresh.client.get("/api/v1/domains")
    assert status_kib(fresh.domusd.pid, "VmRSS") < 20 * 1024


def test_binary_and_dashboard_are_under_2_mib(tmp_path):
    binary = tmp_path / "domusd"
    shutil.copy(hostagent.BUILD / "agent" / "arm64" / "domusd", binary)
    subprocess.run(["aarch64-linux-gnu-strip", str(binary)], check=True)
    dashboard = sum(f.stat().st_size for f in (hostagent.BUILD / "webui").rglob("*") if f.is_file())
    assert dashboard > 0
    assert binary.stat().st_size + dashboard < 2 * MIB


def test_upload_of_2_gib_grows_domusd_by_less_than_4_mib(fresh):
    api = fresh.client
    # warm up what is allocated once and kept
    api.upload("warm", "disk", bytes(4 * MIB))
    pid = fresh.domusd.pid
    before = status_kib(pid, "VmRSS")
    length = 2048 * MIB
    zeros = bytes(MIB)
    digest = hashlib.sha256()
    for _ in range(length // MIB):
        digest.update(zeros)
    upload = api.begin_upload("large", "disk", length, digest.hexdigest()).json()["id"]
    most = before

    def pieces():
        nonlocal most
        for i in range(length // MIB):
            yield zeros
            if i % 64 == 0:
                most = max(most, status_kib(pid, "VmRSS"))
    response = api.append(upload, 0, pieces(), {"Content-Length": str(length)})
    assert response.status == 204, response
    most = max(most, status_kib(pid, "VmRSS"))
    image = api.get(f"/api/v1/uploads/{upload}").json()["image"]
    assert api.get(f"/api/v1/images/{image}").json()["size"] == length
    assert most - before < 4 * 1024, f"grew by {most - before} KiB"


def test_logins_do_not_grow_domusd(fresh):
    for _ in range(3):
        fresh.client.login()
    before = status_kib(fresh.domusd.pid, "VmRSS")
    for _ in range(20):
        fresh.client.login()
    assert status_kib(fresh.domusd.pid, "VmRSS") - before < 2 * 1024


def test_requests_do_not_grow_domusd(fresh):
    def round_trip():
        for _ in range(200):
            fresh.client.get("/api/v1/domains")
            fresh.client.get("/api/v1/system")
    round_trip()
    before = status_kib(fresh.domusd.pid, "VmRSS")
    round_trip()
    assert status_kib(fresh.domusd.pid, "VmRSS") - before < 1024


def test_refused_requests_leave_no_descriptor(fresh):
    fresh.client.get("/api")
    before = open_files(fresh.domusd.pid)
    for _ in range(50):
        fresh.client.get("/api/v1/nothing")
        fresh.client.get("/api/v1/domains", auth=False)
    wait_until(lambda: open_files(fresh.domusd.pid) <= before + 2, "the descriptors of ended connections to be closed", 60)


def test_slow_reader_of_events_does_not_grow_domusd_without_end(fresh):
    api = fresh.client
    connection, answer = api.open("GET", "/api/v1/events?after=0")
    assert answer.status == 200
    made = api.post("/api/v1/volumes", {"name": "v", "size": 1 << 20})
    assert made.status == 201
    with Events(api) as events:
        before = status_kib(fresh.domusd.pid, "VmRSS")
        for i in range(300):
            api.post("/api/v1/tokens", {"name": f"t{i}"})
        events.wait(lambda e: len(events.seen) >= 300)
        assert status_kib(fresh.domusd.pid, "VmRSS") - before < 4 * 1024
    connection.close()
