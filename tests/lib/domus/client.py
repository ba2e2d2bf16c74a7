"""An HTTPS client over http.client that trusts the appliance's own CA only and holds every answer against the contract."""
import base64
import hashlib
import http.client
import json as jsonlib
import socket
import ssl
import urllib.parse

from domus import contract, processes

CHUNK = 1 << 20


class Response:
    """Status, headers in order, and body of one answer."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def header(self, name):
        """The value of the only header of that name, None without."""
        values = self.all_headers(name)
        assert len(values) < 2, f"{name} stands {len(values)} times: {values}"
        return values[0] if values else None

    def all_headers(self, name):
        """Every value of that header."""
        return [v for k, v in self.headers if k.lower() == name.lower()]

    def json(self):
        """The body, read as JSON."""
        return jsonlib.loads(self.body)

    @property
    def code(self):
        """The problem's code."""
        return self.json()["code"]

    def pointers(self):
        """{pointer: code} of the problem's errors."""
        return {e["pointer"]: e["code"] for e in self.json().get("errors", [])}

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Client:
    """One caller of the API. address() gives (host, port) anew for each connection: a restarted daemon may have moved."""

    def __init__(self, address, ca, token=None, timeout=120):
        self.address = address
        self.ca = ca
        self.token = token
        self.timeout = timeout
        self.contract = contract.load()

    def with_token(self, token):
        """The same client with another token (None: anonymous)."""
        return Client(self.address, self.ca, token, self.timeout)

    def context(self):
        """TLS that trusts the appliance's CA and nothing else."""
        return ssl.create_default_context(cafile=str(self.ca))

    def connect(self):
        """A TLS connection, for tests that speak byte by byte."""
        host, port = self.address()
        raw = socket.create_connection((host, port), timeout=self.timeout)
        return self.context().wrap_socket(raw, server_hostname=host)

    def open(self, method, target, body=None, headers=None, auth=True):
        """Sends a request on a connection of its own; returns (connection, http.client response) with the body unread."""
        host, port = self.address()
        connection = http.client.HTTPSConnection(host, port, timeout=self.timeout, context=self.context())
        sending = dict(headers or {})
        if auth and self.token and "Authorization" not in sending:
            sending["Authorization"] = f"Bearer {self.token}"
        try:
            connection.request(method, target, body=body, headers=sending)
        except (ConnectionError, ssl.SSLError):
            # the server has said no before it had the whole body: the answer is there to be read
            pass
        return connection, connection.getresponse()

    def request(self, method, target, json=None, body=None, headers=None, auth=True, check=True):
        """One request and its whole answer, checked against the contract."""
        headers = dict(headers or {})
        if json is not None:
            body = jsonlib.dumps(json).encode()
            kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
            headers.setdefault("Content-Type", kind)
        connection, answer = self.open(method, target, body, headers, auth)
        try:
            response = Response(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()
        if check:
            self.contract.check(method, urllib.parse.urlsplit(target).path, response, json)
        return response

    def get(self, target, **kw):
        """GET."""
        return self.request("GET", target, **kw)

    def post(self, target, json=None, **kw):
        """POST."""
        return self.request("POST", target, json=json, **kw)

    def put(self, target, json, **kw):
        """PUT."""
        return self.request("PUT", target, json=json, **kw)

    def patch(self, target, json, **kw):
        """PATCH with a merge patch."""
        return self.request("PATCH", target, json=json, **kw)

    def delete(self, target, **kw):
        """DELETE; a resource with revisions is deleted at whatever revision it has, unless headers say otherwise."""
        if "headers" not in kw:
            kw["headers"] = {"If-Match": "*"}
        return self.request("DELETE", target, **kw)

    # What tests do again and again. Each asserts that it worked.

    def claim(self, code, username="admin", password="correct horse"):
        """Claims the appliance and becomes its administrator."""
        response = self.post("/api/v1/claim", {"code": code, "username": username, "password": password}, auth=False)
        assert response.status == 201, response
        self.token = response.json()["token"]
        return self

    def login(self, username="admin", password="correct horse"):
        """Logs in; returns (cookie, csrf token)."""
        response = self.post("/api/v1/sessions", {"username": username, "password": password}, auth=False)
        assert response.status == 201, response
        return response.header("Set-Cookie").split(";")[0], response.json()["csrf_token"]

    def begin_upload(self, name, kind, length, sha256=None, headers=None):
        """Begins an upload; returns the answer."""
        return self.post("/api/v1/uploads", headers={
            "Tus-Resumable": "1.0.0", "Upload-Length": str(length),
            "Upload-Metadata": metadata(name=name, kind=kind, sha256=sha256), **(headers or {})})

    def append(self, upload, offset, data, headers=None):
        """Sends data (bytes or an iterable) at an offset; returns the answer."""
        return self.request("PATCH", f"/api/v1/uploads/{upload}", body=data, headers={
            "Tus-Resumable": "1.0.0", "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream", **(headers or {})})

    def offset(self, upload):
        """The upload's offset by HEAD."""
        response = self.request("HEAD", f"/api/v1/uploads/{upload}", headers={"Tus-Resumable": "1.0.0"})
        assert response.status == 200, response
        return int(response.header("Upload-Offset"))

    def upload(self, name, kind, data):
        """Uploads bytes as an image with its digest; returns the image's id."""
        response = self.begin_upload(name, kind, len(data), hashlib.sha256(data).hexdigest())
        assert response.status == 201, response
        upload = response.json()["id"]
        offset = 0
        while offset < len(data):
            response = self.append(upload, offset, data[offset:offset + 16 * CHUNK])
            assert response.status == 204, response
            offset = int(response.header("Upload-Offset"))
        def image():
            return self.get(f"/api/v1/uploads/{upload}").json()["image"]
        # an empty file is complete before anything is sent, and verified soon after
        return image() if data else processes.wait_until(image, "the image of an empty file")

    def finished(self, response, wait=60, limit=600):
        """The operation of a 202, when it has ended. limit: seconds after which a stuck operation is given up."""
        assert response.status == 202, response
        operation = response.json()
        assert response.header("Location") == f"/api/v1/operations/{operation['id']}"
        return self.operation_end(operation["id"], wait, limit)

    def operation_end(self, operation_id, wait=60, limit=600):
        """The operation, when it has ended."""
        for _ in range(max(1, limit // wait)):
            operation = self.get(f"/api/v1/operations/{operation_id}?wait={wait}").json()
            if operation["state"] not in ("pending", "running", "cancelling"):
                return operation
        raise AssertionError(f"the operation does not end: {operation}")

    def act(self, domain, action, wait=60):
        """Does an action and waits for its success; returns the operation."""
        operation = self.finished(self.post(f"/api/v1/domains/{domain}/actions/{action}"), wait)
        assert operation["state"] == "succeeded", operation
        return operation

    def state(self, domain):
        """The state of a domain."""
        return self.get(f"/api/v1/domains/{domain}").json()["status"]["state"]

    def every(self, path, limit=50):
        """All items of a list, page by page."""
        items, target = [], f"{path}?limit={limit}"
        while target:
            response = self.get(target)
            assert response.status == 200, response
            items += response.json()["items"]
            link = response.header("Link")
            target = link[1:link.index(">")] if link else None
        return items


def metadata(**pairs):
    """Upload-Metadata of tus: keys with base64 values."""
    return ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in pairs.items() if v is not None)


def checksum(data):
    """Upload-Checksum of tus for data."""
    return "sha256 " + base64.b64encode(hashlib.sha256(data).digest()).decode()
