"""The wire: TLS 1.3 only, a certificate of the appliance's own CA, plain HTTP refused."""
import http.client
import socket
import ssl
import subprocess

import pytest


def handshake(api, minimum, maximum):
    context = api.context()
    context.minimum_version, context.maximum_version = minimum, maximum
    host, port = api.address()
    with socket.create_connection((host, port), timeout=60) as raw:
        with context.wrap_socket(raw, server_hostname=host) as tls:
            return tls.version()


def test_tls_1_3_is_spoken(api):
    assert handshake(api, ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"


def test_tls_1_2_is_refused(api):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(api, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)


def test_plain_http_is_refused(api):
    host, port = api.address()
    connection = http.client.HTTPConnection(host, port, timeout=60)
    connection.request("GET", "/api")
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        connection.getresponse()


def test_certificate_names_this_host(api):
    host, port = api.address()
    with api.connect() as tls:
        names = tls.getpeercert()["subjectAltName"]
    assert ("DNS", socket.gethostname()) in names
    assert ("DNS", socket.gethostname().split(".")[0] + ".local") in names
    assert ("IP Address", "127.0.0.1") in names
    assert host == "127.0.0.1" and port


def test_served_ca_is_the_one_that_signs(api):
    assert api.get("/api/v1/ca.pem", auth=False).body == api.ca.read_bytes()


def test_curl_trusts_it_without_k(api):
    _, port = api.address()
    done = subprocess.run(["curl", "-sS", "--fail", "--cacert", str(api.ca), f"https://127.0.0.1:{port}/healthz"],
                          capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr


def test_certificate_stays_over_a_restart(fresh):
    def leaf():
        with fresh.client.connect() as tls:
            return tls.getpeercert(binary_form=True)
    before = leaf()
    fresh.restart_domusd()
    assert leaf() == before


def test_abrupt_hangups_do_not_stop_the_service(api):
    host, port = api.address()
    for i in range(300):
        raw = socket.create_connection((host, port), timeout=60)
        if i % 3 == 0:
            raw.send(b"\x16\x03\x01\x02\x00")
        raw.close()
    assert api.get("/healthz").status == 200


def test_half_open_connections_do_not_stop_the_service(api):
    host, port = api.address()
    held = [socket.create_connection((host, port), timeout=60) for _ in range(20)]
    try:
        assert api.get("/healthz").status == 200
    finally:
        for raw in held:
            raw.close()
