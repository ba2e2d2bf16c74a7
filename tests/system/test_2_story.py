"""The story that the appliance is for, by curl and by the API: claim, upload, define, start, type, stop."""
import hashlib
import http.server
import os
import subprocess
import threading

import pytest

from domus.appliance import GUESTS, KERNEL, make
from domus.images import definition
from domus.processes import wait_until
from domus.streams import Console, Events


@pytest.mark.oracle
def test_run_leaves_the_promised_files(appliance):
    for name in ("console.log", "qmp.sock", "ca.pem"):
        assert (appliance.run_dir / name).exists(), name


def test_second_run_on_the_same_folder_is_refused(appliance):
    done = make("run", "DETACH=1", f"RUN={appliance.run_dir}", "PORT=8529", check=False)
    assert done.returncode != 0 and "already running" in done.stdout


def test_curl_trusts_the_ca_without_k(appliance):
    for host in ("127.0.0.1", "localhost"):
        done = subprocess.run(["curl", "-sS", "--fail", "--noproxy", "*", "--cacert", str(appliance.run_dir / "ca.pem"),
                               f"https://{host}:{appliance.port}/healthz"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr


def test_curl_without_the_ca_refuses(appliance):
    done = subprocess.run(["curl", "-sS", "--noproxy", "*", f"https://127.0.0.1:{appliance.port}/healthz"], capture_output=True, check=False)
    assert done.returncode == 60


@pytest.mark.oracle
def test_claim_code_is_on_the_console_and_used_up(appliance, api):
    code = appliance.claim_code()
    assert code in (appliance.run_dir / "console.log").read_text(encoding="utf-8", errors="replace")
    response = api.post("/api/v1/claim", {"code": code, "username": "eve", "password": "correct horse"}, auth=False)
    assert (response.status, response.code) == (409, "claim.already_claimed")


@pytest.mark.oracle
def test_system_tells_the_real_machine(api):
    system = api.get("/api/v1/system").json()
    name = "Xen" if os.environ.get("HYPERVISOR", "domus") == "xen" else "domus"
    assert system["hypervisor"]["name"] == name
    assert name != "Xen" or system["hypervisor"]["version"].startswith("4.20")
    # Dom0 has the first two; the others are on for a domain only, where the hypervisor switches cores (test_8_cores)
    assert len(system["cpus"]) == 4 and all(c["online"] for c in system["cpus"][:4 if name == "Xen" else 2])
    assert 3900 <= system["memory"]["total_mib"] <= 4096
    assert 2500 < system["memory"]["free_mib"] < 3072
    assert 900 < system["memory"]["dom0_mib"] <= 1024
    assert system["storage"]["free"] > 1 << 30


def test_uploaded_kernel_is_the_kernel(api, images):
    image = api.get(f"/api/v1/images/{images['kernel']}").json()
    assert image["sha256"] == hashlib.sha256(KERNEL.read_bytes()).hexdigest()
    assert image["size"] == KERNEL.stat().st_size


def test_initrd_is_no_kernel(api, images):
    fake = api.upload("initrd as kernel", "kernel", (GUESTS / "initrd.gz").read_bytes())
    response = api.post("/api/v1/domains", definition("nokernel", fake))
    assert (response.status, response.pointers()) == (422, {"/boot/kernel": "not_arm64_image"})
    api.delete(f"/api/v1/images/{fake}")


def test_more_memory_than_the_board_has(api, images):
    response = api.post("/api/v1/domains", definition("fat", images["kernel"], memory_mib=8192))
    assert (response.status, response.pointers()) == (422, {"/memory_mib": "too_large"})


@pytest.mark.oracle
def test_guest_boots_to_a_shell_that_answers(api, define):
    define("shell", vcpus=2)
    api.act("shell", "start")
    with Console(api, "shell") as console:
        console.expect(rb"guest: kernel 6\.\S+, 2 processors")
        console.expect(rb"guest: ready")
        assert console.command("echo $((6 * 7))").strip() == "42"
        assert console.command("cat /proc/cmdline").strip() == "console=hvc0 quiet"
        memory = int(console.command("awk '/MemTotal/ {print $2}' /proc/meminfo"))
        assert 150 * 1024 < memory < 256 * 1024
        with Console(api, "shell") as second:
            second.expect(rb"guest: ready")
            console.command("echo seen by both")
            second.expect(rb"seen by both\r?\n")
    assert b"guest: ready" in api.get("/api/v1/domains/shell/console/log").body


@pytest.mark.oracle
def test_shutdown_powers_the_guest_off(api, define):
    define("off")
    with Events(api) as events:
        api.act("off", "start")
        with Console(api, "off") as console:
            console.expect(rb"guest: ready")
            api.act("off", "shutdown")
            console.expect(rb"guest: poweroff")
        events.wait_state("off", "stopped")
        states = [e["data"]["state"] for e in events.seen if e["type"] == "domain.state"]
    assert states == ["starting", "running", "stopping", "stopped"]
    assert api.state("off") == "stopped"


def test_guest_that_powers_itself_off_is_stopped(api, define):
    define("itself")
    api.act("itself", "start")
    with Events(api) as events, Console(api, "itself") as console:
        console.expect(rb"guest: ready")
        console.send(b"poweroff -f\r")
        events.wait_state("itself", "stopped")
    assert api.get("/api/v1/domains/itself").json()["status"]["domid"] is None


def test_guest_that_reboots_itself_runs_again(api, define):
    define("again")
    api.act("again", "start")
    before = api.get("/api/v1/domains/again").json()["status"]["domid"]
    with Console(api, "again") as console:
        console.expect(rb"guest: ready")
        console.send(b"reboot -f\r")
        console.expect(rb"guest: ready")
    after = api.get("/api/v1/domains/again").json()["status"]
    assert after["state"] == "running" and after["domid"] != before


def test_reboot_restarts_the_guest_and_keeps_the_console(api, define):
    define("reboot")
    api.act("reboot", "start")
    with Console(api, "reboot") as console:
        console.expect(rb"guest: ready")
        api.act("reboot", "reboot")
        console.expect(rb"guest: reboot")
        console.expect(rb"guest: ready")
        console.command("true")
    assert api.state("reboot") == "running"


@pytest.mark.oracle
def test_kill_stops_the_guest_at_once(api, define):
    define("kill")
    free = api.get("/api/v1/system").json()["memory"]["free_mib"]
    api.act("kill", "start")
    assert free - api.get("/api/v1/system").json()["memory"]["free_mib"] >= 256
    api.act("kill", "kill")
    assert api.state("kill") == "stopped"
    wait_until(lambda: api.get("/api/v1/system").json()["memory"]["free_mib"] >= free - 4, "the memory to be free again", 60, 1)


def test_paused_guest_stands_still(api, define):
    define("pause")
    api.act("pause", "start")
    with Console(api, "pause") as console:
        console.expect(rb"guest: ready")
        console.send(b"i=0; while :; do i=$((i+1)); echo tick $i; usleep 100000; done\r")
        console.expect(rb"tick 3\r")
        api.act("pause", "pause")
        assert api.state("pause") == "paused"
        # the console's last bytes may still be on their way; then, for as long as thirty ticks took before, nothing comes
        seen = wait_until(lambda: quiet(console), "the console of a paused guest to be silent", 60)
        count = int(seen.rsplit(b"tick ", 1)[1].split()[0])
        threading.Event().wait(5)
        assert bytes(console.output) == seen
        api.act("pause", "resume")
        following = int(console.expect(rb"tick (\d+)\r\n").group(1))
        assert following <= count + 2
        console.send(b"\x03")
    assert api.state("pause") == "running"


def quiet(console):
    """The output, when it has not changed for a second."""
    before = bytes(console.output)
    threading.Event().wait(1)
    return bytes(console.output) == before and before


@pytest.mark.oracle
def test_crash_is_seen(api, images, define):
    define("crash", boot={"kernel": images["crash"]}, memory_mib=32)
    with Events(api) as events:
        api.finished(api.post("/api/v1/domains/crash/actions/start"))
        event = events.wait_state("crash", "crashed")
    assert event["data"]["reason"]
    assert api.state("crash") == "crashed"
    assert api.get("/healthz").status == 200


def test_crashed_domain_can_be_started_again(api, images, define):
    define("crash-again", boot={"kernel": images["crash"]}, memory_mib=32)
    for _ in range(2):
        with Events(api) as events:
            api.finished(api.post("/api/v1/domains/crash-again/actions/start"))
            events.wait_state("crash-again", "crashed")


@pytest.mark.oracle
def test_network_reaches_dom0_and_the_world(appliance, api, define):
    define("net", nics=[{"network": "lan0"}])
    mac = api.get("/api/v1/domains/net").json()["nics"][0]["mac"]
    cidr = api.get("/api/v1/networks/lan0").json()["cidr"]
    gateway = cidr.split("/")[0]
    api.act("net", "start")

    class Hello(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # pylint: disable=invalid-name
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello from outside")

        def log_message(self, *_):  # pylint: disable=arguments-differ
            pass
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server, Console(api, "net") as console:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        console.expect(rb"guest: network up", 300)
        console.expect(rb"guest: ready")
        assert mac in console.command("cat /sys/class/net/eth0/address")
        address = console.command("ip -4 addr show eth0")
        assert f"inet {gateway.rsplit('.', 1)[0]}." in address
        assert f"default via {gateway}" in console.command("ip route")
        assert "1 packets received" in console.command(f"ping -c 1 -W 30 {gateway}")
        # QEMU's user network: 10.0.2.2 is the machine that QEMU runs on
        assert "hello from outside" in console.command(f"wget -T 60 -q -O - http://10.0.2.2:{server.server_port}/")
        server.shutdown()
    assert "net" in api.get("/api/v1/networks/lan0").json()["used_by"]


def test_two_guests_reach_each_other(api, define):
    for name in ("left", "right"):
        define(name, nics=[{"network": "lan0"}])
        api.act(name, "start")
    with Console(api, "left") as left, Console(api, "right") as right:
        for console in (left, right):
            console.expect(rb"guest: ready", 300)
        address = right.command("ip -4 addr show eth0 | awk '/inet/ {print $2}' | cut -d/ -f1").strip()
        assert "1 packets received" in left.command(f"ping -c 1 -W 30 {address}")


def test_volume_keeps_what_a_guest_wrote(api, define):
    response = api.post("/api/v1/volumes", {"name": "data", "size": 16 << 20})
    volume = response.json()["id"]
    define("disk", disks=[{"name": "xvda", "source": {"volume": volume}}])
    api.act("disk", "start")
    with Console(api, "disk") as console:
        console.expect(rb"guest: ready")
        assert console.command("cat /sys/block/xvda/size").strip() == str((16 << 20) // 512)
        assert "done" in console.command("echo 'kept on the volume' | dd of=/dev/xvda bs=512 seek=100 conv=sync,fsync 2>/dev/null && echo done")
    api.act("disk", "shutdown")
    api.act("disk", "start")
    with Console(api, "disk") as console:
        console.expect(rb"guest: ready[\s\S]*guest: ready")
        assert "kept on the volume" in console.command("dd if=/dev/xvda bs=512 skip=100 count=1 2>/dev/null | tr -d '\\000'")
    api.act("disk", "kill")
    api.delete("/api/v1/domains/disk")
    assert api.delete(f"/api/v1/volumes/{volume}").status == 204


@pytest.mark.oracle
def test_volume_made_from_an_image_has_its_bytes(api, define):
    content = b"".join(b"block %06d" % i + bytes(500) for i in range(8192))
    image = api.upload("disk image", "disk", content)
    volume = api.finished(api.post("/api/v1/volumes", {"name": "copied", "image": image}))["result"]["volume"]
    define("copy", disks=[{"name": "xvda", "source": {"volume": volume}, "readonly": True}])
    api.act("copy", "start")
    with Console(api, "copy") as console:
        console.expect(rb"guest: ready")
        assert hashlib.sha256(content).hexdigest() in console.command("sha256sum /dev/xvda", 300)
        assert "refused" in console.command("dd if=/dev/zero of=/dev/xvda bs=512 count=1 2>/dev/null || echo refused")
    api.act("copy", "kill")
    api.delete("/api/v1/domains/copy")
    api.delete(f"/api/v1/volumes/{volume}")
    api.delete(f"/api/v1/images/{image}")


def test_image_and_running_domain_cannot_be_deleted(api, define, images):
    define("inuse")
    api.act("inuse", "start")
    response = api.delete("/api/v1/domains/inuse")
    assert (response.status, response.code) == (409, "domain.running")
    response = api.delete(f"/api/v1/images/{images['kernel']}")
    assert (response.status, response.code) == (409, "image.in_use") and "inuse" in response.json()["detail"]


def test_appliance_memory_stays_within_its_figures(appliance):
    text = appliance.dom0("grep VmRSS /proc/$(busybox pidof domusd)/status")
    assert int(text.split()[1]) < 20 * 1024, text


def test_private_keys_belong_to_domus_alone(appliance):
    listed = appliance.dom0("grep -rl 'PRIVATE KEY' /var/lib/domus | xargs stat -c '%a %U %n'")
    assert listed
    for line in listed.splitlines():
        assert line.startswith("600 domus "), line


@pytest.mark.oracle
def test_daemon_without_privileges_cannot_reach_xen(appliance):
    status, _ = appliance.dom0_status("nsenter -t $(busybox pidof domusd) -m -S $(id -u domus) -- ls /dev/xen/privcmd")
    assert status != 0
    assert appliance.dom0("stat -c %U /proc/$(busybox pidof domusd)").strip() == "domus"
