"""The console: tickets, WebSocket, log."""
import re

import pytest
import websocket

from domus.images import arm64_image, definition
from domus.processes import open_files, wait_until
from domus.streams import Console


PROMPT = rb"GUEST-READY\r\n~ # "  # of the simulated guest, agent/keeper/machine_sim_guest.c


def ticket(api, name):
    response = api.post(f"/api/v1/domains/{name}/console/tickets")
    assert response.status == 201, response
    return response.json()["ticket"]


def handshake(api, name, value, origin=None):
    """The status with which an opening handshake is refused."""
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        Console(api, name, value, origin)
    return refused.value.status_code


@pytest.fixture
def running(api, domain):
    """A domain whose shell listens."""
    api.act(domain, "start")
    with Console(api, domain) as console:
        console.expect(PROMPT)
    return domain


def test_bytes_go_both_ways(api, running):
    with Console(api, running) as console:
        console.send(b"hello\r")
        console.expect(b"hello")


def test_boot_output_is_replayed_to_a_late_reader(api, running):
    with Console(api, running) as first:
        text = first.expect(rb"\S[^\r\n]{5,}\r?\n").group(0)
    with Console(api, running) as second:
        second.expect(re.escape(text))


def test_first_frame_says_the_state(api, running):
    with Console(api, running) as console:
        assert console.notice(lambda n: n["type"] == "state") == {"type": "state", "state": "running"}


def test_two_readers_see_the_same(api, running):
    with Console(api, running) as first, Console(api, running) as second:
        first.send(b"from-first\r")
        first.expect(b"from-first")
        second.expect(b"from-first")
        second.send(b"from-second\r")
        first.expect(b"from-second")


def test_reader_that_leaves_does_not_disturb_the_other(api, running):
    with Console(api, running) as stays:
        for _ in range(5):
            Console(api, running).close()
        stays.send(b"still here\r")
        stays.expect(b"still here")


def test_console_outlives_a_reboot(api, running):
    with Console(api, running) as console:
        api.act(running, "reboot")
        console.notice(lambda n: n["state"] != "running")
        wait_until(lambda: console.notices[-1]["state"] == "running", "the notice that it runs again")
        console.expect(PROMPT + rb".*" + PROMPT)
        console.send(b"after the reboot\r")
        console.expect(b"after the reboot")


def test_console_of_a_stopped_domain_waits_for_its_start(api, domain):
    with Console(api, domain) as console:
        assert console.notice(lambda n: True)["state"] == "stopped"
        api.act(domain, "start")
        console.notice(lambda n: n["state"] == "running")
        console.expect(PROMPT)
        console.send(b"awake\r")
        console.expect(b"awake")


def test_keys_wait_for_the_console_of_a_domain_that_lives_and_for_no_other(api, domain):
    with Console(api, domain) as console:
        console.send(b"to nobody\r")
        console.taken()
        operation = api.post(f"/api/v1/domains/{domain}/actions/start").json()
        console.notice(lambda n: n["state"] == "starting")
        console.send(b"early\r")
        console.expect(PROMPT + rb".*early")
        assert api.operation_end(operation["id"])["state"] == "succeeded"
        assert b"to nobody" not in console.output


def test_ticket_is_good_once(api, running):
    value = ticket(api, running)
    Console(api, running, value).close()
    assert handshake(api, running, value) == 403


def test_ticket_opens_its_own_domain_only(api, running, kernel):
    api.post("/api/v1/domains", definition("neighbour", kernel))
    assert handshake(api, running, ticket(api, "neighbour")) == 403
    api.delete("/api/v1/domains/neighbour")


@pytest.mark.parametrize("value", ["", "x", "A" * 64, "../../x", "%00"])
def test_wrong_ticket_is_refused(api, running, value):
    assert handshake(api, running, value) in (400, 403)


def test_token_is_no_ticket(api, running):
    response = api.get(f"/api/v1/domains/{running}/console?ticket={'A' * 43}", headers={
        "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"})
    assert (response.status, response.code) == (403, "console.ticket_invalid")


def test_foreign_origin_is_refused(api, running):
    for origin in ("https://evil.example", "null", "http://127.0.0.1:%d" % api.address()[1]):
        assert handshake(api, running, ticket(api, running), origin) == 403


def test_own_origin_is_welcome(api, running):
    host, port = api.address()
    Console(api, running, ticket(api, running), f"https://{host}:{port}").close()


def test_foreign_origin_does_not_use_the_ticket_up_for_the_owner(api, running):
    assert handshake(api, running, ticket(api, running), "https://evil.example") == 403
    Console(api, running).close()


def test_plain_get_is_426(api, running):
    response = api.get(f"/api/v1/domains/{running}/console?ticket={ticket(api, running)}")
    assert (response.status, response.code) == (426, "console.upgrade_required")


def test_ticket_of_an_unknown_domain_is_404(api):
    assert api.post("/api/v1/domains/nothing/console/tickets").code == "domain.unknown"


def test_ticket_needs_a_credential(api, domain):
    assert api.post(f"/api/v1/domains/{domain}/console/tickets", auth=False).status == 401


def test_log_has_what_the_console_showed(api, running):
    with Console(api, running) as console:
        console.send(b"for the record\r")
        console.expect(b"for the record")
    wait_until(lambda: b"for the record" in api.get(f"/api/v1/domains/{running}/console/log").body, "the log to have it", 30)


def test_log_is_kept_after_the_domain_ended(api, running):
    wait_until(lambda: api.get(f"/api/v1/domains/{running}/console/log").body, "some output", 30)
    api.act(running, "kill")
    assert api.get(f"/api/v1/domains/{running}/console/log").body


def test_log_of_a_domain_that_never_ran_is_empty(api, domain):
    response = api.get(f"/api/v1/domains/{domain}/console/log")
    assert (response.status, response.body) == (200, b"")


def test_log_ranges(api, running):
    path = f"/api/v1/domains/{running}/console/log"
    with Console(api, running) as console:
        console.send(b"enough text for a range\r")
        console.expect(b"enough text")
    whole = wait_until(lambda: (body := api.get(path).body) and b"enough text" in body and body, "the log", 30)
    part = api.get(path, headers={"Range": "bytes=0-9"})
    assert (part.status, part.body) == (206, whole[:10])
    assert part.header("Content-Range").startswith("bytes 0-9/")
    assert api.get(path, headers={"Range": "bytes=5-"}).body[:10] == whole[5:15]
    end = api.get(path, headers={"Range": "bytes=-4"})
    assert end.status == 206 and len(end.body) == 4
    assert api.get(path, headers={"Range": "bytes=999999999-"}).status == 416
    for odd in ("bytes=9-0", "lines=1-2", "bytes=", "bytes=a-b", "bytes=0-1,3-4"):
        assert api.get(path, headers={"Range": odd}).status == 200, odd


def test_log_cannot_be_sniffed_as_html(api, running):
    response = api.get(f"/api/v1/domains/{running}/console/log")
    assert response.header("Content-Type").startswith("text/plain")
    assert response.header("X-Content-Type-Options") == "nosniff"


LINE = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\r\n"  # of the simulated guest's flood


def flood(console, kib):
    """Has the guest print that much; returns it, from the echo to the prompt."""
    console.send(f"flood {kib}\r".encode())
    return console.flooded(kib << 10, b"~ # ")


def test_many_bytes_arrive_whole_and_in_order(api, running):
    with Console(api, running) as console:
        console.expect(PROMPT)
        assert flood(console, 1024) == b"flood 1024\r\n" + LINE * 16384 + b"~ # "


def test_typed_lines_arrive_in_order(api, running):
    with Console(api, running) as console:
        for i in range(100):
            console.send(f"echo line {i}\r".encode())
            console.expect(rb"\nline %d\r\n" % i)


def test_replay_is_the_last_256_kib(api, running):
    with Console(api, running) as console:
        console.expect(PROMPT)
        flood(console, 600)
    with Console(api, running) as late:
        replayed = late.flooded(200 << 10, b"~ # ")
        assert len(replayed) <= 300 << 10
        assert (LINE * 3000 + b"~ # ") in replayed


def test_slow_reader_is_cut_off_and_does_not_hold_up_the_others(api, running):
    slow = Console(api, running, read=False)
    with Console(api, running) as quick:
        quick.expect(PROMPT)
        # less at a time than what a reader may lag behind, together more than the kernel buffers for the slow one
        for _ in range(100):
            flood(quick, 128)
        quick.send(b"still quick\r")
        quick.expect(rb"still quick")
    slow.read()
    wait_until(lambda: slow.closed, "the slow reader to find itself cut off", 60)
    assert len(slow.output) < 100 * 128 * 1024


def test_malformed_frames_close_this_reader_only(api, running):
    with Console(api, running) as good:
        bad = Console(api, running)
        bad.send_raw(b"\xff\xff\xff\xff" * 100)
        wait_until(lambda: bad.closed, "the broken reader to be closed")
        good.send(b"unharmed\r")
        good.expect(b"unharmed")


def test_unmasked_frame_closes_the_reader(api, running):
    bad = Console(api, running)
    bad.send_raw(b"\x82\x01x")
    wait_until(lambda: bad.closed, "the reader that broke RFC 6455 5.1 to be closed")


@pytest.mark.parametrize("size", [16 * 1024 + 1, 20_000, 1_000_000])
def test_message_that_is_too_big_ends_with_1009(api, running, size):
    with Console(api, running) as good:
        big = Console(api, running, read=False)
        big.socket.send_binary(b"x" * size)
        opcode = None
        while opcode != websocket.ABNF.OPCODE_CLOSE:
            opcode, data = big.socket.recv_data(control_frame=True)
        assert int.from_bytes(data[:2], "big") == 1009  # RFC 6455 7.4.1
        big.hang_up()
        good.send(b"unharmed\r")
        good.expect(b"unharmed")


def test_reader_that_stays_after_its_end_is_cut(api, running):
    big = Console(api, running, read=False)
    big.socket.send_binary(b"x" * 20_000)
    with pytest.raises(websocket.WebSocketConnectionClosedException):
        for _ in range(10):
            big.socket.recv_data(control_frame=True)
    big.hang_up()


def test_ping_is_answered(api, running):
    with Console(api, running) as console:
        console._write(lambda: console.socket.ping(b"are you there"))
        console.send(b"after ping\r")
        console.expect(b"after ping")


def test_reader_that_hangs_up_without_a_word_is_forgotten(agent, api, running):
    Console(api, running).close()
    before = open_files(agent.domusd.pid)
    for _ in range(10):
        # without a reading thread: it would go on with the descriptor's number, which the next connection gets
        console = Console(api, running, read=False)
        console.socket.sock.close()
    wait_until(lambda: open_files(agent.domusd.pid) <= before + 2, "their descriptors to be closed", 60)


def test_console_comes_back_after_keeper_was_killed(fresh):
    api = fresh.client
    api.post("/api/v1/domains", definition("console", api.upload("k", "kernel", arm64_image())))
    api.act("console", "start")
    fresh.restart_keeper(kill=True)
    wait_until(lambda: api.get("/readyz").status == 200, "domusd to find the new keeper", 60)
    wait_until(lambda: api.state("console") != "running", "domusd to see that the simulated board ended with keeper", 60)
    api.act("console", "start")
    with Console(api, "console") as console:
        console.expect(PROMPT)
        console.send(b"again\r")
        console.expect(b"again")
