"""Input that is too much, too odd or not what it says: a clear error, and the service goes on."""
import json
import socket
import ssl

import pytest

from domus.client import Response
from domus.images import arm64_image, definition
from domus.processes import open_files, wait_until


def raw(api, data, limit=1 << 20):
    """Sends bytes as they are; returns what comes back until the other side hangs up or the answer is whole."""
    answer = b""
    with api.connect() as tls:
        try:
            tls.sendall(data)
        except (ConnectionError, ssl.SSLError):
            pass
        try:
            while len(answer) < limit:
                piece = tls.recv(65536)
                if not piece:
                    break
                answer += piece
        except (ConnectionError, ssl.SSLError):
            pass
    return answer


def raw_request(api, method, path, headers=(), body=b""):
    head = [f"{method} {path} HTTP/1.1", "Host: domus", "Connection: close", f"Authorization: Bearer {api.token}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def status_of(answer):
    assert answer.startswith(b"HTTP/1.1 "), answer[:200]
    return int(answer.split(b" ", 2)[1])


def post_raw(api, path, body, kind="application/json"):
    return api.request("POST", path, body=body, headers={"Content-Type": kind})


@pytest.mark.parametrize("body,code", [
    (b"", "json.invalid"),
    (b"{", "json.invalid"),
    (b"{'name':1}", "json.invalid"),
    (b'{"name":"a",}', "json.invalid"),
    (b'{"name":"a"} {"name":"b"}', "json.invalid"),
    (b'{"name":"a"}\0', "json.invalid"),
    (b'\xef\xbb\xbf{"name":"a"}', "json.invalid"),
    (b'{"name":NaN}', "json.invalid"),
    (b'{"size":1e999}', "json.invalid"),
    (b'{"size":99999999999999999999999999}', "json.invalid"),
    (b'{"name":"\xff\xfe"}', "json.not_utf8"),
    (b'{"name":"\xc0\xaf"}', "json.not_utf8"),
    (b'{"name":"\xed\xa0\x80"}', "json.not_utf8"),
    (b'{"name":"a","name":"b"}', "json.duplicate_key"),
    (b'{"a":{"b":1,"b":2}}', "json.duplicate_key"),
    (b"[" * 17 + b"]" * 17, "json.too_deep"),
    (b"[" * 30000, "json.too_deep"),
    (b'{"a":' * 5000 + b"1" + b"}" * 5000, "json.too_deep"),
])
def test_body_that_cannot_be_read_is_400(api, body, code):
    response = post_raw(api, "/api/v1/volumes", body)
    assert (response.status, response.code) == (400, code)


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"1", b"null", b"true"])
def test_body_that_is_no_object_is_422(api, body):
    response = post_raw(api, "/api/v1/volumes", body)
    assert response.status == 422 and response.pointers() == {"": "type"}


def test_text_in_other_scripts_goes_through_unchanged(api, kernel):
    text = "Käse, 試験, \U0001f3e0, \"quotes\", back\\slash, \t tab"
    assert api.post("/api/v1/domains", definition("unicode", kernel, description=text)).status == 201
    assert api.get("/api/v1/domains/unicode").json()["description"] == text
    api.delete("/api/v1/domains/unicode")


def test_nul_in_a_string_is_refused(api, kernel):
    body = json.dumps(definition("nul", kernel, description="a\0b"))
    response = post_raw(api, "/api/v1/domains", body.encode())
    assert response.status in (400, 422)
    assert api.get("/api/v1/domains/nul").status == 404


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                                  "application/jsonx", "", "application/merge-patch+json"])
def test_other_media_types_are_415(api, kind):
    response = post_raw(api, "/api/v1/volumes", b'{"name":"a","size":1048576}', kind)
    assert (response.status, response.code) == (415, "body.wrong_type")


def test_media_type_may_have_a_charset(api):
    response = post_raw(api, "/api/v1/volumes", b'{"name":"charset","size":1048576}', "application/json; charset=utf-8")
    assert response.status == 201
    api.delete(response.header("Location"))


def test_body_of_10_mib_is_413(api):
    response = post_raw(api, "/api/v1/volumes", b'{"name":"' + b"a" * (10 << 20) + b'"}')
    assert (response.status, response.code) == (413, "body.too_large")


def test_body_over_the_limit_is_refused_before_it_is_sent(api):
    answer = raw(api, raw_request(api, "POST", "/api/v1/volumes", ["Content-Type: application/json", "Content-Length: 10485760"]))
    assert status_of(answer) == 413


def test_chunked_body_over_the_limit_is_413(api):
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    answer = raw(api, raw_request(api, "POST", "/api/v1/volumes", ["Content-Type: application/json", "Transfer-Encoding: chunked"],
                                  chunk * 64 + b"0\r\n\r\n"))
    assert status_of(answer) == 413


def test_unauthenticated_large_body_is_refused_too(api):
    response = api.request("POST", "/api/v1/claim", body=b"x" * (10 << 20), headers={"Content-Type": "application/json"}, auth=False)
    assert response.status == 413


def test_100000_headers_are_431(api):
    data = raw_request(api, "GET", "/api/v1/domains", [f"X-Header-{i}: {i}" for i in range(100000)])
    answer = raw(api, data)
    assert status_of(answer) == 431
    assert api.get("/healthz").status == 200


def test_one_endless_header_is_431(api):
    answer = raw(api, raw_request(api, "GET", "/api/v1/domains", ["X-Long: " + "a" * (1 << 20)]))
    assert status_of(answer) == 431
    assert api.get("/healthz").status == 200


def test_endless_path_is_refused(api):
    answer = raw(api, raw_request(api, "GET", "/api/v1/domains/" + "a" * (1 << 20)))
    assert status_of(answer) in (414, 431)


@pytest.mark.parametrize("data", [
    b"\r\n\r\n\r\n", b"GET\r\n\r\n", b"\0" * 4096, b"GET / HTTP/9.9\r\n\r\n", b"GET /api HTTP/1.1\r\n\r\n",
    b"GET /api HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/v1/claim HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /api/v1/claim HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}{}{}",
    b"POST /api/v1/claim HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
    b"GET /api\r\nHost: a HTTP/1.1\r\n\r\n"])
def test_malformed_http_is_refused_and_hurts_nobody(api, data):
    with api.connect() as tls:
        tls.settimeout(3)
        answer = b""
        try:
            tls.sendall(data)
            answer = tls.recv(65536)
        except (socket.timeout, ConnectionError, ssl.SSLError):
            pass
        if answer:
            assert 400 <= status_of(answer) < 500 or status_of(answer) == 505, answer[:200]
    assert api.get("/healthz").status == 200


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=-1", "limit=abc", "limit=", "limit=1e2", "limit=99999999999999999999",
                                   "limit=10%20", "limit=1&limit=2"])
def test_limit_out_of_range_is_400(api, query):
    response = api.get(f"/api/v1/domains?{query}")
    assert (response.status, response.code) == (400, "parameter.invalid")


@pytest.mark.parametrize("cursor", ["x", "", "%00", "a" * 256, "eyJhIjoxfQ", "../../x", "%ff%fe"])
def test_cursor_that_is_not_ours_is_400(api, cursor):
    response = api.get(f"/api/v1/domains?cursor={cursor}")
    assert (response.status, response.code) == (400, "cursor.invalid")


@pytest.mark.parametrize("wait", ["61", "-1", "x", "", "1.5"])
def test_wait_out_of_range_is_400(api, wait):
    response = api.get(f"/api/v1/operations/x?wait={wait}")
    assert (response.status, response.code) == (400, "parameter.invalid")


@pytest.mark.parametrize("name", ["..%2fx", "%2e%2e", "A", "-a", "a" * 41, "a_b", "a%00b", "%ff", "a%20b", "%3Cscript%3E"])
def test_name_that_no_domain_can_have_is_not_found(api, name):
    response = api.get(f"/api/v1/domains/{name}")
    assert response.status in (400, 404), name


@pytest.mark.machine("create_ms=12000")
def test_who_waits_for_an_operation_and_hangs_up_is_noticed_before_it_ends(fresh):
    api = fresh.client
    kernel = api.upload("kernel", "kernel", arm64_image())
    assert api.post("/api/v1/domains", definition("slow", kernel)).status == 201
    path = api.post("/api/v1/domains/slow/actions/start").header("Location")
    before = open_files(fresh.domusd.pid)
    waiting = [api.connect() for _ in range(16)]
    for tls in waiting:
        tls.sendall(raw_request(api, "GET", f"{path}?wait=60"))
    wait_until(lambda: open_files(fresh.domusd.pid) >= before + 8, "domusd to have them")
    for tls in waiting:
        tls.close()
    wait_until(lambda: open_files(fresh.domusd.pid) <= before, "their descriptors to be closed")
    assert api.get(path).json()["state"] in ("pending", "running")


def test_answers_are_problems_of_the_contract_below_the_http_layer_too(api):
    for data in (raw_request(api, "GET", "/api/v1/domains", [f"X-{i}: {'a' * 100}" for i in range(1000)]),
                 raw_request(api, "POST", "/api/v1/volumes", ["Content-Type: application/json", "Content-Length: 99999999"])):
        answer = raw(api, data)
        head, _, body = answer.partition(b"\r\n\r\n")
        headers = [tuple(line.decode().split(": ", 1)) for line in head.split(b"\r\n")[1:]]
        response = Response(status_of(answer), headers, body)
        if response.status == 413:
            api.contract.check("POST", "/api/v1/volumes", response)
