"""Definitions: what is accepted comes back, what is not is refused with a pointer, and of two writers one wins."""
import copy
import threading

import pytest

from domus.images import arm64_image, definition

FULL = {
    "description": "all fields", "vcpus": 2, "memory_mib": 128,
    "nics": [{"network": "lan0", "mac": "52:54:00:12:34:56"}], "disks": [], "devices": [],
    "cpu": {"pool": None, "affinity": [0, 1], "weight": 512, "cap": 150},
    "autostart": {"enabled": True, "order": 5, "delay_s": 10, "after": []},
    "restart": {"policy": "on-crash", "max": 3, "window_s": 120, "backoff_s": 2},
    "watchdog_s": 30, "on_pull": "restart"}


def get(api, name):
    response = api.get(f"/api/v1/domains/{name}")
    return response.json(), response.header("ETag")


def test_definition_gets_its_defaults(api, domain, kernel):
    body, etag = get(api, domain)
    assert body["description"] == "" and body["vcpus"] == 1
    assert body["boot"] == {"kernel": kernel, "initrd": None, "cmdline": ""}
    assert body["disks"] == body["nics"] == body["devices"] == []
    assert body["cpu"] == {"pool": None, "affinity": None, "weight": 256, "cap": 0}
    assert body["autostart"] == {"enabled": False, "order": 0, "delay_s": 0, "after": []}
    assert body["restart"] == {"policy": "never", "max": 10, "window_s": 60, "backoff_s": 1}
    assert body["watchdog_s"] == 0 and body["on_pull"] == "report"
    assert body["status"]["state"] == "stopped" and body["status"]["domid"] is None
    assert etag == f'"r{body["revision"]}"'


def test_full_definition_comes_back_as_it_was_sent(api, kernel):
    initrd = api.upload("initrd", "initrd", b"\x1f\x8b initrd")
    sent = {"name": "full", "boot": {"kernel": kernel, "initrd": initrd, "cmdline": "console=hvc0 quiet"}, **FULL}
    response = api.post("/api/v1/domains", sent)
    assert response.status == 201
    assert response.header("Location") == "/api/v1/domains/full"
    body, etag = get(api, "full")
    assert response.header("ETag") == etag and response.json() == body
    assert {k: body[k] for k in sent} == sent
    assert api.delete("/api/v1/domains/full").status == 204


def test_automatic_mac_is_replaced_and_stays(api, kernel):
    nics = [{"network": "lan0"}, {"network": "lan0", "mac": "auto"}]
    made = api.post("/api/v1/domains", definition("macs", kernel, nics=nics)).json()["nics"]
    assert "auto" not in (n["mac"] for n in made) and made[0]["mac"] != made[1]["mac"]
    again = api.patch("/api/v1/domains/macs", {"nics": nics}, headers={"If-Match": "*"}).json()["nics"]
    assert again == made
    api.delete("/api/v1/domains/macs")


def bad(path, value, pointer=None, code="range"):
    """A case: definition with path (tuple) set to value; refused at pointer with code."""
    return pytest.param(path, value, pointer or "/" + "/".join(map(str, path)), code, id=f"{'.'.join(map(str, path))}={str(value)[:30]}")


NIC = {"network": "lan0"}
DISK = {"name": "xvda", "source": {"volume": "nothing"}}
MISSING = object()


@pytest.mark.parametrize("path,value,pointer,code", [
    bad(("name",), MISSING, code="required"), bad(("memory_mib",), MISSING, code="required"), bad(("boot",), MISSING, code="required"),
    bad(("boot", "kernel"), MISSING, code="required"),
    bad(("name",), "../x", code="pattern"), bad(("name",), "", code="pattern"), bad(("name",), "A", code="pattern"),
    bad(("name",), "-a", code="pattern"), bad(("name",), "a" * 41, code="pattern"), bad(("name",), "a/b", code="pattern"),
    bad(("name",), "a\n", code="pattern"), bad(("name",), 1, code="type"), bad(("name",), None, code="type"),
    bad(("colour",), "red", code="unknown"), bad(("status",), {}, code="unknown"), bad(("revision",), 1, code="unknown"),
    bad(("boot", "dtb"), "x", code="unknown"), bad(("cpu", "count"), 1, code="unknown"), bad(("restart", "often"), 1, code="unknown"),
    bad(("autostart", "x"), 1, code="unknown"), bad(("nics",), [{**NIC, "ip": "1.2.3.4"}], "/nics/0/ip", "unknown"),
    bad(("disks",), [{**DISK, "cache": "x"}], "/disks/0/cache", "unknown"),
    bad(("description",), "x" * 1025, code="length"), bad(("description",), 5, code="type"),
    bad(("vcpus",), 0), bad(("vcpus",), 33), bad(("vcpus",), 1.5, code="type"), bad(("vcpus",), "2", code="type"),
    bad(("vcpus",), True, code="type"), bad(("vcpus",), [], code="type"),
    bad(("memory_mib",), 15), bad(("memory_mib",), -64), bad(("memory_mib",), 1048577), bad(("memory_mib",), "64", code="type"),
    bad(("memory_mib",), 1048576, code="too_large"),
    bad(("boot",), "kernel", code="type"), bad(("boot",), [], code="type"),
    bad(("boot", "kernel"), "nothing", code="not_found"), bad(("boot", "kernel"), "../../etc/passwd", code="pattern"),
    bad(("boot", "kernel"), None, code="type"), bad(("boot", "initrd"), "nothing", code="not_found"), bad(("boot", "initrd"), 1, code="type"),
    bad(("boot", "cmdline"), "x" * 1025, code="length"), bad(("boot", "cmdline"), "a\nb", code="pattern"),
    bad(("boot", "cmdline"), "ä", code="pattern"),
    bad(("disks",), {}, code="type"), bad(("disks",), [5], "/disks/0", "type"), bad(("disks",), [DISK], "/disks/0/source/volume", "not_found"),
    bad(("disks",), [{**DISK, "name": "sda"}], "/disks/0/name", "pattern"), bad(("disks",), [{"name": "xvda"}], "/disks/0/source", "required"),
    bad(("disks",), [{**DISK, "source": {"volume": "x", "path": "/dev/sda"}}], "/disks/0/source/path", "unknown"),
    bad(("disks",), [{**DISK, "source": {"volume": "../x"}}], "/disks/0/source/volume", "pattern"),
    bad(("disks",), [{**DISK, "readonly": 1}], "/disks/0/readonly", "type"), bad(("disks",), [DISK] * 17, "/disks", "length"),
    bad(("nics",), [NIC] * 9, "/nics", "length"), bad(("nics",), [{}], "/nics/0/network", "required"),
    bad(("nics",), [{"network": "lan7"}], "/nics/0/network", "not_found"), bad(("nics",), [{**NIC, "mac": "x"}], "/nics/0/mac", "pattern"),
    bad(("nics",), [{**NIC, "mac": "01:00:5e:00:00:01"}], "/nics/0/mac", "pattern"),
    bad(("devices",), ["pcie-00.1f.7"], "/devices/0", "not_found"), bad(("devices",), ["0000:01:00.0"], "/devices/0", "pattern"),
    bad(("devices",), [1], "/devices/0", "type"), bad(("devices",), ["x" * 129], "/devices/0", "length"),
    bad(("cpu",), None, code="type"), bad(("cpu", "affinity"), []), bad(("cpu", "affinity"), [-1], "/cpu/affinity/0"),
    bad(("cpu", "affinity"), [64], "/cpu/affinity/0"), bad(("cpu", "affinity"), [1, 1], "/cpu/affinity/1", "duplicate"),
    bad(("cpu", "affinity"), "0-3", code="type"), bad(("cpu", "weight"), 0), bad(("cpu", "weight"), 65536), bad(("cpu", "cap"), -1),
    bad(("cpu", "cap"), 6401), bad(("cpu", "pool"), "Big Cores", code="pattern"),
    bad(("autostart", "enabled"), "yes", code="type"), bad(("autostart", "order"), 1001), bad(("autostart", "delay_s"), 3601),
    bad(("autostart", "after"), ["nobody"], "/autostart/after/0", "not_found"), bad(("autostart", "after"), ["wrong"], "/autostart/after/0", "not_found"),
    bad(("restart", "policy"), "sometimes", code="enum"), bad(("restart", "max"), 1001), bad(("restart", "window_s"), 0),
    bad(("restart", "backoff_s"), 3601), bad(("watchdog_s",), 3601), bad(("watchdog_s",), -1),
    bad(("on_pull",), "explode", code="enum"),
])
def test_wrong_definition_is_422_with_its_pointer(api, kernel, path, value, pointer, code):
    body = definition("wrong", kernel)
    node = body
    for key in path[:-1]:
        node = node.setdefault(key, {})
    if value is MISSING:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    response = api.post("/api/v1/domains", body)
    assert response.status == 422, response
    allowed = {"length", "range"} if code in ("length", "range") else {code}
    assert response.pointers().keys() == {pointer}, response.json()
    assert response.pointers()[pointer] in allowed, response.json()
    assert api.get("/api/v1/domains/wrong").status == 404


def test_of_several_wrong_fields_each_that_is_named_is_wrong(api, kernel):
    response = api.post("/api/v1/domains", definition("x", kernel, vcpus=0, memory_mib="much", colour="red"))
    wrong = {"/vcpus": "range", "/memory_mib": "type", "/colour": "unknown"}
    assert response.status == 422 and response.pointers().items() <= wrong.items()


@pytest.mark.parametrize("content", [b"", b"x", b"MZ" + b"\0" * 100, b"\x7fELF" + b"\0" * 200, b"\x1f\x8b" + b"\0" * 5000,
                                     arm64_image()[:56] + b"ARMe" + arm64_image()[60:], arm64_image()[:63]],
                         ids=["empty", "one-byte", "mz", "elf", "gzip", "wrong-magic", "cut-header"])
def test_kernel_that_is_no_arm64_image_is_refused_with_the_reason(api, content):
    image = api.upload("no kernel", "kernel", content)
    response = api.post("/api/v1/domains", definition("nokernel", image))
    assert (response.status, response.pointers()) == (422, {"/boot/kernel": "not_arm64_image"})
    assert "arm64" in response.json()["errors"][0]["detail"]
    assert api.get("/api/v1/domains/nokernel").status == 404


def test_image_of_another_kind_is_no_kernel(api, kernel):
    disk = api.upload("disk", "disk", arm64_image())
    response = api.post("/api/v1/domains", definition("kinds", disk))
    assert (response.status, response.pointers()) == (422, {"/boot/kernel": "kind"})
    body = definition("kinds", kernel)
    body["boot"]["initrd"] = disk
    assert api.post("/api/v1/domains", body).pointers() == {"/boot/initrd": "kind"}


def test_more_memory_than_the_board_has_is_refused_with_the_amount(api, kernel):
    total = api.get("/api/v1/system").json()["memory"]["total_mib"]
    response = api.post("/api/v1/domains", definition("fat", kernel, memory_mib=total + 1))
    assert (response.status, response.pointers()) == (422, {"/memory_mib": "too_large"})
    assert str(total) in response.json()["errors"][0]["detail"]


@pytest.mark.machine("memory_mib=4096,dom0_mib=512")
def test_memory_is_the_boards_and_dom0s_as_the_hypervisor_has_it(fresh):
    memory = fresh.client.get("/api/v1/system").json()["memory"]
    assert (memory["total_mib"], memory["dom0_mib"]) == (4096, 512)


def test_name_twice_is_409(api, domain, kernel):
    response = api.post("/api/v1/domains", definition(domain, kernel))
    assert (response.status, response.code) == (409, "domain.exists")


def test_disk_name_twice_is_refused(api, kernel):
    ids = [api.post("/api/v1/volumes", {"name": f"dup-{i}", "size": 1 << 20}).json()["id"] for i in range(2)]
    disks = [{"name": "xvda", "source": {"volume": i}} for i in ids]
    response = api.post("/api/v1/domains", definition("dupdisk", kernel, disks=disks))
    assert (response.status, response.pointers()) == (422, {"/disks/1/name": "duplicate"})
    for one in ids:
        api.delete(f"/api/v1/volumes/{one}")


def test_volume_has_one_writer(api, kernel):
    one = api.post("/api/v1/volumes", {"name": "single", "size": 1 << 20}).json()["id"]
    disks = [{"name": "xvda", "source": {"volume": one}}]
    reading = [{"name": "xvdb", "source": {"volume": one}, "readonly": True}]
    assert api.post("/api/v1/domains", definition("writer", kernel, disks=disks)).status == 201
    for name, other in (("writer-2", disks), ("reader", reading)):
        response = api.post("/api/v1/domains", definition(name, kernel, disks=other))
        assert (response.status, response.pointers()) == (422, {"/disks/0/source/volume": "in_use"})
        assert "writer" in response.json()["errors"][0]["detail"]
    api.patch("/api/v1/domains/writer", {"disks": reading}, headers={"If-Match": "*"})
    assert api.post("/api/v1/domains", definition("reader", kernel, disks=reading)).status == 201
    for name in ("writer", "reader"):
        assert api.delete(f"/api/v1/domains/{name}").status == 204
    api.delete(f"/api/v1/volumes/{one}")


# changing

def test_put_replaces_and_counts_the_revision_up(api, domain, kernel):
    before, etag = get(api, domain)
    response = api.put(f"/api/v1/domains/{domain}", definition(domain, kernel, memory_mib=96), headers={"If-Match": etag})
    assert response.status == 200
    after, now = get(api, domain)
    assert after["memory_mib"] == 96 and after["revision"] > before["revision"] and now == response.header("ETag") != etag
    assert after["created"] == before["created"]


def test_put_takes_left_out_fields_back_to_their_defaults(api, domain, kernel):
    api.patch(f"/api/v1/domains/{domain}", {"description": "x", "vcpus": 2}, headers={"If-Match": "*"})
    body = api.put(f"/api/v1/domains/{domain}", definition(domain, kernel), headers={"If-Match": "*"}).json()
    assert (body["description"], body["vcpus"]) == ("", 1)


def test_put_cannot_rename(api, domain, kernel):
    response = api.put(f"/api/v1/domains/{domain}", definition("other", kernel), headers={"If-Match": "*"})
    assert (response.status, response.pointers()) == (422, {"/name": "read_only"})
    response = api.patch(f"/api/v1/domains/{domain}", {"name": "other"}, headers={"If-Match": "*"})
    assert (response.status, response.pointers()) == (422, {"/name": "read_only"})


def test_put_makes_nothing(api, kernel):
    response = api.put("/api/v1/domains/ghost", definition("ghost", kernel), headers={"If-Match": "*"})
    assert (response.status, response.code) == (404, "domain.unknown")


def test_patch_changes_what_it_names(api, domain):
    before, _ = get(api, domain)
    response = api.patch(f"/api/v1/domains/{domain}", {"description": "new", "cpu": {"weight": 100}}, headers={"If-Match": "*"})
    after = response.json()
    assert after["description"] == "new" and after["cpu"] == {**before["cpu"], "weight": 100}
    for field in ("boot", "memory_mib", "restart", "created"):
        assert after[field] == before[field]


def test_patch_with_null_takes_the_default(api, domain):
    api.patch(f"/api/v1/domains/{domain}", {"description": "x", "cpu": {"weight": 5}}, headers={"If-Match": "*"})
    after = api.patch(f"/api/v1/domains/{domain}", {"description": None, "cpu": None}, headers={"If-Match": "*"}).json()
    assert after["description"] == "" and after["cpu"]["weight"] == 256


def test_patch_with_null_on_a_required_field_is_refused(api, domain):
    response = api.patch(f"/api/v1/domains/{domain}", {"memory_mib": None}, headers={"If-Match": "*"})
    assert (response.status, response.pointers()) == (422, {"/memory_mib": "required"})


@pytest.mark.parametrize("patch,pointers", [({"colour": 1}, {"/colour": "unknown"}), ({"status": {"state": "running"}}, {"/status": "unknown"}),
                                            ({"vcpus": 0}, {"/vcpus": "range"}), ({"cpu": {"x": 1}}, {"/cpu/x": "unknown"}),
                                            ({"revision": None}, {"/revision": "unknown"})])
def test_wrong_patch_is_422_and_changes_nothing(api, domain, patch, pointers):
    before = get(api, domain)
    response = api.patch(f"/api/v1/domains/{domain}", patch, headers={"If-Match": "*"})
    assert (response.status, response.pointers()) == (422, pointers)
    assert get(api, domain) == before


def test_patch_as_plain_json_is_415(api, domain):
    response = api.request("PATCH", f"/api/v1/domains/{domain}", body=b"{}", headers={"Content-Type": "application/json", "If-Match": "*"})
    assert response.status == 415


@pytest.mark.parametrize("method,body", [("PUT", True), ("PATCH", True), ("DELETE", None)])
def test_change_needs_if_match(api, domain, kernel, method, body):
    path = f"/api/v1/domains/{domain}"
    json = body and definition(domain, kernel)
    missing = api.request(method, path, json=json)
    assert (missing.status, missing.code) == (428, "revision.missing")
    stale = api.request(method, path, json=json, headers={"If-Match": '"r424242"'})
    assert (stale.status, stale.code) == (412, "revision.stale")


def test_of_two_writers_with_the_same_etag_one_wins(api, domain):
    for _ in range(10):
        _, etag = get(api, domain)
        answers = []
        barrier = threading.Barrier(4)

        def write(i):
            barrier.wait()
            answers.append(api.patch(f"/api/v1/domains/{domain}", {"description": f"writer {i}"}, headers={"If-Match": etag}))
        threads = [threading.Thread(target=write, args=(i,)) for i in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert sorted(a.status for a in answers) == [200, 412, 412, 412]
        winner = next(a for a in answers if a.status == 200)
        assert get(api, domain)[0]["description"] == winner.json()["description"]


def test_status_does_not_change_the_etag(api, domain):
    _, before = get(api, domain)
    api.act(domain, "start")
    _, after = get(api, domain)
    api.act(domain, "kill")
    assert before == after


def test_deleted_domain_is_gone_and_its_name_free(api, kernel):
    api.post("/api/v1/domains", definition("phoenix", kernel))
    assert api.delete("/api/v1/domains/phoenix").status == 204
    assert api.get("/api/v1/domains/phoenix").status == 404
    assert api.delete("/api/v1/domains/phoenix").status == 404
    assert api.post("/api/v1/domains", definition("phoenix", kernel)).status == 201
    api.delete("/api/v1/domains/phoenix")


def test_running_domain_cannot_be_deleted(api, domain):
    api.act(domain, "start")
    response = api.delete(f"/api/v1/domains/{domain}")
    assert (response.status, response.code) == (409, "domain.running")
    assert api.state(domain) == "running"


# the same request twice

def test_same_key_same_body_is_the_same_answer(api, kernel):
    headers = {"Idempotency-Key": "create-once"}
    body = definition("once", kernel)
    first = api.post("/api/v1/domains", body, headers=headers)
    second = api.post("/api/v1/domains", copy.deepcopy(body), headers=headers)
    assert first.status == second.status == 201
    assert first.json() == second.json()
    assert [first.header(h) for h in ("Location", "ETag")] == [second.header(h) for h in ("Location", "ETag")]
    api.delete("/api/v1/domains/once")


def test_same_key_other_body_is_422(api, kernel):
    headers = {"Idempotency-Key": "key-2"}
    assert api.post("/api/v1/domains", definition("key-a", kernel), headers=headers).status == 201
    response = api.post("/api/v1/domains", definition("key-b", kernel), headers=headers)
    assert (response.status, response.code) == (422, "idempotency.key_reused")
    assert api.get("/api/v1/domains/key-b").status == 404
    response = api.post("/api/v1/volumes", {"name": "key-c", "size": 1 << 20}, headers=headers)
    assert response.status == 422
    api.delete("/api/v1/domains/key-a")


def test_same_key_at_the_same_time_makes_one(api, kernel):
    for i in range(5):
        answers = []
        barrier = threading.Barrier(4)

        def create():
            barrier.wait()
            answers.append(api.post("/api/v1/volumes", {"name": f"race-{i}", "size": 1 << 20}, headers={"Idempotency-Key": f"race-{i}"}))
        threads = [threading.Thread(target=create) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        made = {a.json()["id"] for a in answers if a.status == 201}
        assert len(made) == 1
        assert all(a.status == 201 or (a.status, a.code) == (409, "idempotency.in_progress") for a in answers), answers
        api.delete(f"/api/v1/volumes/{made.pop()}")


def test_key_survives_a_kill(fresh):
    kernel_id = fresh.client.upload("k", "kernel", arm64_image())
    headers = {"Idempotency-Key": "over-a-crash"}
    first = fresh.client.post("/api/v1/domains", definition("crashed", kernel_id), headers=headers)
    fresh.restart_domusd(kill=True)
    second = fresh.client.post("/api/v1/domains", definition("crashed", kernel_id), headers=headers)
    assert (first.status, second.status) == (201, 201) and first.json() == second.json()


def test_refused_request_does_not_use_the_key_up_for_good(api, kernel):
    headers = {"Idempotency-Key": "second-try"}
    body = definition("second-try", kernel)
    assert api.post("/api/v1/domains", {**body, "vcpus": 0}, headers=headers).status == 422
    response = api.post("/api/v1/domains", {**body, "vcpus": 0}, headers=headers)
    assert response.status == 422 and response.pointers() == {"/vcpus": "range"}


@pytest.mark.parametrize("key", ["", "x" * 129, "a b", "\t"])
def test_key_of_the_wrong_form_is_400(api, key):
    response = api.post("/api/v1/volumes", {"name": "x", "size": 1 << 20}, headers={"Idempotency-Key": key})
    assert (response.status, response.code) == (400, "header.invalid")
