"""Server-sent events: nothing is missed, over reconnects and over a restart of the daemon."""
import sqlite3
import ssl

import pytest

from domus.processes import open_files, wait_until
from domus.streams import Events


def touch(api, domain, text):
    assert api.patch(f"/api/v1/domains/{domain}", {"description": text}, headers={"If-Match": "*"}).status == 200


def is_update(domain):
    return lambda e: e["type"] == "domain.updated" and e["resource"] == f"domains/{domain}"


def test_change_is_an_event_with_revision_and_actor(api, domain):
    with Events(api) as events:
        touch(api, domain, "seen")
        event = events.wait(is_update(domain))
    assert event["actor"] == "admin"
    assert event["revision"] == api.get(f"/api/v1/domains/{domain}").json()["revision"]


def test_stream_without_an_id_begins_now(api, domain):
    touch(api, domain, "before")
    with Events(api) as events:
        touch(api, domain, "after")
        events.wait(is_update(domain))
        assert [e["type"] for e in events.seen] == ["domain.updated"]
        assert events.seen[0]["seq"] == events.start + 1


def test_last_event_id_replays_what_was_missed(api, domain):
    with Events(api) as events:
        start = events.start
    for i in range(5):
        touch(api, domain, f"missed {i}")
    with Events(api, last_id=start) as events:
        for _ in range(5):
            events.wait(is_update(domain))
        touch(api, domain, "live")
        events.wait(is_update(domain))
        seqs = [e["seq"] for e in events.seen]
    assert seqs == list(range(start + 1, start + 7))


def test_after_works_like_last_event_id_and_the_header_wins(api, domain):
    with Events(api) as events:
        start = events.start
    touch(api, domain, "one")
    touch(api, domain, "two")
    with Events(api, after=start) as events:
        assert events.wait(is_update(domain))["seq"] == start + 1
    with Events(api, after=0, last_id=start + 1) as events:
        assert events.wait(is_update(domain))["seq"] == start + 2


def test_after_0_replays_everything_kept(api):
    with Events(api, after=0) as events:
        first = events.wait(lambda e: True)
    assert first["seq"] == 1 or events.resets


def test_every_reader_sees_every_event_in_order(api, domain):
    readers = [Events(api) for _ in range(6)]
    for i in range(30):
        touch(api, domain, f"text {i}")
    last = api.get(f"/api/v1/domains/{domain}").json()["revision"]
    for reader in readers:
        reader.wait(lambda e: e["revision"] == last and e["resource"] == f"domains/{domain}")
        seqs = [e["seq"] for e in reader.seen]
        assert seqs == list(range(reader.start + 1, reader.start + 1 + len(seqs)))
        reader.close()


def test_id_of_the_future_is_a_reset(api, domain):
    with Events(api, last_id=10**9) as events:
        wait_until(lambda: events.resets, "the reset")
        assert events.resets[0]["seq"] == events.last_id
        touch(api, domain, "goes on")
        events.wait(is_update(domain))


@pytest.mark.parametrize("headers,query", [({"Last-Event-ID": "x"}, ""), ({"Last-Event-ID": "-1"}, ""), ({"Last-Event-ID": "9" * 30}, ""),
                                           ({}, "?after=x"), ({}, "?after=-1"), ({}, "?after=")])
def test_id_that_is_no_number_is_400(api, headers, query):
    response = api.get("/api/v1/events" + query, headers=headers)
    assert response.status == 400


def test_events_go_on_over_a_restart(fresh):
    api = fresh.client
    made = api.post("/api/v1/volumes", {"name": "one", "size": 1 << 20})
    with Events(api, after=0) as events:
        last = events.wait(lambda e: e["type"] == "volume.created")["seq"]
        api.delete(made.header("Location"))
        fresh.restart_domusd()
        assert events.ended.wait(60), "the stream stays open though domusd has ended"
    api.post("/api/v1/volumes", {"name": "two", "size": 1 << 20})
    with Events(api, last_id=last) as events:
        events.wait(lambda e: e["type"] == "volume.deleted")
        events.wait(lambda e: e["type"] == "volume.created")
        seqs = [e["seq"] for e in events.seen]
        assert seqs == list(range(last + 1, last + 1 + len(seqs)))


def test_events_go_on_over_a_kill(fresh):
    api = fresh.client
    with Events(api) as events:
        start = events.start
        api.post("/api/v1/volumes", {"name": "one", "size": 1 << 20})
        fresh.restart_domusd(kill=True)
    with Events(api, last_id=start) as events:
        assert events.wait(lambda e: e["type"] == "volume.created")["seq"] == start + 1


def test_id_older_than_the_journal_is_a_reset(fresh):
    api = fresh.client
    for i in range(3):
        api.post("/api/v1/volumes", {"name": f"v{i}", "size": 1 << 20})
    fresh.stop("domusd")
    file = next(f for f in fresh.state.rglob("*") if f.is_file() and f.read_bytes()[:15] == b"SQLite format 3")
    with sqlite3.connect(file) as db:
        table = next(t for (t,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'") if t in ("event", "events", "journal"))
        newest = db.execute(f"SELECT max(seq) FROM {table}").fetchone()[0]
        db.execute(f"DELETE FROM {table} WHERE seq < ?", (newest,))
    fresh.start_domusd()
    with Events(api, last_id=1) as events:
        wait_until(lambda: events.resets, "the reset")
        assert events.resets[0]["seq"] >= newest


def test_stream_needs_a_credential(api):
    assert api.get("/api/v1/events", auth=False).status == 401


def test_stream_with_a_cookie_needs_no_csrf_token(api):
    cookie, _ = api.login()
    connection, answer = api.open("GET", "/api/v1/events", headers={"Cookie": cookie}, auth=False)
    assert answer.status == 200
    connection.close()


def test_readers_that_hang_up_are_forgotten(agent, api, domain):
    before = open_files(agent.domusd.pid)
    for reader in [Events(api) for _ in range(10)]:
        reader.close()
    touch(api, domain, "somebody there?")
    wait_until(lambda: open_files(agent.domusd.pid) <= before + 3, "their descriptors to be closed", 90)


def test_reader_that_hangs_up_is_noticed_before_the_next_heartbeat(agent, api):
    before = open_files(agent.domusd.pid)
    connection, answer = api.open("GET", "/api/v1/events")
    assert answer.readline() and answer.readline() == b"\n"
    for reader in [Events(api) for _ in range(10)]:
        reader.close()
    wait_until(lambda: open_files(agent.domusd.pid) <= before + 1, "their descriptors to be closed")
    # the reader that stayed has been sent nothing meanwhile, so it was no heartbeat that found the others gone
    connection.sock.setblocking(False)
    with pytest.raises((ssl.SSLWantReadError, BlockingIOError)):
        connection.sock.recv(1)
    answer.close()
    connection.close()


def test_streams_opened_and_cut_one_after_the_other_never_refuse_the_next(api):
    for _ in range(160):  # more than a credential, all of them together, or an address may have
        wait_until(lambda: opened_and_cut(api), "room for one stream where none is open", 5)
    assert api.get("/healthz").status == 200


def opened_and_cut(api):
    connection, answer = api.open("GET", "/api/v1/events")
    connection.close()
    answer.close()
    return answer.status == 200


def test_stop_with_open_streams_is_clean(fresh):
    readers = [Events(fresh.client) for _ in range(5)]
    fresh.stop("domusd")
    for reader in readers:
        assert reader.ended.wait(60)
    fresh.start_domusd()
