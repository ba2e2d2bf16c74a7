"""The two streams of the API for tests: server-sent events and the console's WebSocket, each read by a thread of its own."""
import json
import queue
import re
import select
import socket
import ssl
import threading
import time

import websocket


class Events:
    """GET /api/v1/events as a list that grows. Every event is checked against the contract.

    The constructor returns when the stream's opening block has arrived; `start` is its sequence number."""

    def __init__(self, client, last_id=None, after=None, headers=None):
        self.client = client
        sending = dict(headers or {})
        if last_id is not None:
            sending["Last-Event-ID"] = str(last_id)
        target = "/api/v1/events" + (f"?after={after}" if after is not None else "")
        self.connection, self.answer = client.open("GET", target, headers=sending)
        assert self.answer.status == 200, (self.answer.status, self.answer.read())
        assert self.answer.getheader("Content-Type").split(";")[0] == "text/event-stream"
        assert self.answer.getheader("Cache-Control") == "no-store"
        self.seen = []
        self.resets = []
        self.last_id = None
        self.ended = threading.Event()
        self.error = None
        self._news = queue.Queue()
        opened = threading.Event()
        self._opened = opened
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        assert opened.wait(60), "the event stream did not open"
        self.start = self.last_id

    def _read(self):
        block = {}
        try:
            for line in self.answer:
                line = line.decode().rstrip("\r\n")
                if line:
                    if not line.startswith(":"):
                        name, _, value = line.partition(":")
                        block[name] = value.removeprefix(" ")
                    continue
                self._block(block)
                block = {}
        except (OSError, ValueError, AssertionError, AttributeError) as e:
            self.error = e
        self.ended.set()
        self._opened.set()

    def _block(self, block):
        if "id" in block:
            self.last_id = int(block["id"])
        if block.get("event") == "reset":
            self.resets.append(json.loads(block["data"]))
            self._news.put(None)
        elif "data" in block:
            assert "event" not in block, block
            event = json.loads(block["data"])
            found = self.client.contract.event_problems(event)
            assert not found, (event, found)
            assert event["seq"] == int(block["id"]), block
            self.seen.append(event)
            self._news.put(event)
        if "id" in block:
            self._opened.set()

    def wait(self, want, timeout=120):
        """The next event for which want(event) is true; AssertionError when none comes."""
        end = time.monotonic() + timeout
        while True:
            try:
                event = self._news.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no such event; seen: {[(e['type'], e['data']) for e in self.seen]}; {self.error}") from None
            if event and want(event):
                return event

    def wait_state(self, domain, state, timeout=120):
        """The next event that says that the domain is in a state."""
        return self.wait(lambda e: e["type"] == "domain.state" and e["resource"] == f"domains/{domain}"
                         and e["data"]["state"] == state, timeout)

    def close(self):
        """Hangs up, without a word of TLS: the reader must not be waited for while it waits for the server."""
        try:
            socket.socket.shutdown(self.connection.sock, socket.SHUT_RDWR)
        except OSError:
            pass
        self._thread.join(60)
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Console:
    """A domain's console over WebSocket."""

    def __init__(self, client, domain, ticket=None, origin=None, read=True):
        self.domain = domain
        if ticket is None:
            response = client.post(f"/api/v1/domains/{domain}/console/tickets")
            assert response.status == 201, response
            ticket = response.json()["ticket"]
        host, port = client.address()
        options = {"suppress_origin": True} if origin is None else {"origin": origin}
        self.socket = websocket.create_connection(
            f"wss://{host}:{port}/api/v1/domains/{domain}/console?ticket={ticket}",
            sslopt={"ca_certs": str(client.ca), "cert_reqs": ssl.CERT_REQUIRED}, timeout=60, **options)
        self._io = threading.Lock()
        self.output = bytearray()
        self.notices = []
        self.closed = False
        self._pongs = 0
        self._from = 0
        self._thread = None
        self._lock = threading.Condition()
        if read:
            self.read()

    def read(self):
        """Begins to read; the constructor does so unless told otherwise."""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _receive(self):
        """One message, None when there is none yet. A TLS connection is one state machine: whoever reads or writes has it alone,
        so the reader waits outside and looks in for a moment."""
        sock = self.socket.sock
        if not sock.pending():
            select.select([sock], [], [], 1)
        with self._io:
            self.socket.settimeout(0.01)
            try:
                return self.socket.recv_data(control_frame=True)
            except websocket.WebSocketTimeoutException:
                return None

    def _read(self):
        try:
            while True:
                message = self._receive()
                if message is None:
                    continue
                opcode, data = message
                with self._lock:
                    if opcode == websocket.ABNF.OPCODE_BINARY:
                        self.output += data
                    elif opcode == websocket.ABNF.OPCODE_TEXT:
                        self.notices.append(json.loads(data))
                    elif opcode == websocket.ABNF.OPCODE_PONG:
                        self._pongs += 1
                    elif opcode == websocket.ABNF.OPCODE_CLOSE:
                        break
                    self._lock.notify_all()
        except (OSError, websocket.WebSocketException, ValueError):
            pass
        with self._lock:
            self.closed = True
            self._lock.notify_all()

    def _wait(self, ready, what, timeout):
        end = time.monotonic() + timeout
        with self._lock:
            while not (found := ready()):
                left = end - time.monotonic()
                if left <= 0 or self.closed:
                    state = "closed" if self.closed else "silent"
                    raise AssertionError(f"console is {state} without {what!r}; it ended with {self.output[-1500:]!r}")
                self._lock.wait(left)
            return found

    def expect(self, pattern, timeout=120):
        """Waits until pattern (bytes, a regular expression) is in the output after what was expected before; returns the match."""
        search = re.compile(pattern, re.S)
        start = self._from
        match = self._wait(lambda: search.search(self.output, start), pattern, timeout)
        self._from = match.end()
        return match

    def flooded(self, size, end, timeout=120):
        """Waits for at least size bytes since what was expected before, ending with `end`, and returns them. For much output,
        where a regular expression at every frame would take long."""
        self._wait(lambda: len(self.output) - self._from >= size and self.output.endswith(end), end, timeout)
        begin, self._from = self._from, len(self.output)
        return bytes(self.output[begin:])

    def notice(self, want, timeout=60):
        """Waits for a text frame for which want(notice) is true."""
        return self._wait(lambda: next((n for n in self.notices if want(n)), None), "notice", timeout)

    def send(self, data):
        """Types bytes."""
        self._write(lambda: self.socket.send_binary(data))

    def taken(self, timeout=60):
        """Waits until the server has read all that was typed."""
        before = self._pongs
        self._write(self.socket.ping)
        self._wait(lambda: self._pongs > before, "pong", timeout)

    def send_raw(self, data):
        """Sends bytes as they are, below WebSocket."""
        self._write(lambda: self.socket.sock.sendall(data))

    def _write(self, write):
        with self._io:
            self.socket.settimeout(60)
            write()

    def command(self, line, timeout=120):
        """Types a shell command; returns what it printed. The marker is not in the echo of the command itself."""
        mark = f"m{time.monotonic_ns() % 1000000}"
        self.send(f"{line}; echo '{mark[:2]}''{mark[2:]}'\r".encode())
        found = self.expect(rf"(?:^|\n)((?:(?!{mark[:2]}'').)*?){mark}\r?\n".encode(), timeout)
        return found.group(1).decode("utf-8", "replace").replace("\r", "")

    def close(self):
        """Says goodbye (RFC 6455 7.1.2) and waits for the answer."""
        try:
            self._write(self.socket.send_close)
        except (OSError, websocket.WebSocketException):
            pass
        if self._thread:
            self._thread.join(30)
        self.hang_up()

    def hang_up(self):
        """Ends the connection without a word. The reader ends first: a descriptor that is closed under it may be the next
        connection's already."""
        try:
            socket.socket.shutdown(self.socket.sock, socket.SHUT_RDWR)
        except (OSError, AttributeError, TypeError):
            pass
        if self._thread:
            self._thread.join(30)
        if self.socket.sock:
            self.socket.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class RawTls:
    """A TLS connection whose ciphertext can be cut at any byte."""

    def __init__(self, client):
        self.socket = socket.create_connection(client.address(), timeout=client.timeout)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = client.context().wrap_bio(self._in, self._out, server_hostname=client.address()[0])
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.socket.sendall(self._out.read())
                self._in.write(self.socket.recv(65536))
        self.socket.sendall(self._out.read())

    def send(self, data):
        """Sends data in whole records."""
        self._tls.write(data)
        self.socket.sendall(self._out.read())

    def cut(self, data, size):
        """Sends the first bytes of data's record and the end of the connection in one segment; 0: only the end."""
        self._tls.write(data)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        if size:
            self.socket.sendall(self._out.read()[:size])
        self.socket.shutdown(socket.SHUT_WR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
