"""Many commands in Dom0, quickly: a loop there fetches scripts from here over HTTP and posts what they printed. The debug console,
where every key is an interrupt, only starts it."""
import http.server
import queue
import re
import threading

HOST = "10.0.2.2"  # QEMU's user network: the machine that QEMU runs on
SLOT_CONTROL, POWER_OFF = 0x54 + 0x18, 1 << 10  # of QEMU's root ports (PCI Express Base Specification 7.5.3.10)


class Dom0:
    """Runs scripts as root in an appliance's Dom0; files() are served to it under their names."""

    def __init__(self, appliance, files=None):
        self.files, self.scripts, self.results = dict(files or {}), queue.Queue(), queue.Queue()
        self.started = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """GET /next waits for a script, GET /NAME is a file, POST is a result."""

            def _answer(self, body, status=200):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):  # pylint: disable=invalid-name
                if self.path[1:] in outer.files:
                    self._answer(outer.files[self.path[1:]])
                    return
                outer.started.set()
                script = outer.scripts.get() if self.path == "/next" else None
                self._answer(script or b"", 200 if script else 404)

            def do_POST(self):  # pylint: disable=invalid-name
                outer.results.put(self.rfile.read(int(self.headers["Content-Length"])).decode("utf-8", "replace"))
                self._answer(b"")

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        url = f"http://{HOST}:{self.server.server_port}"
        fetch = "".join(f"busybox wget -qO {name} {url}/{name}; chmod 700 {name}\n" for name in self.files)
        self.files["loop"] = (f"cd /run\n{fetch}"
                              f"while busybox wget -qO s {url}/next; do sh ./s >o 2>&1; echo \"exit $?\" >>o\n"
                              f"busybox wget -qO /dev/null --post-file=o {url}/done; done\n").encode()
        self._start(appliance, url)

    def _start(self, appliance, url):
        """The one line for the console, which may lose keys on a busy machine: again until the loop asks for its first script."""
        for _ in range(5):
            try:
                appliance.dom0(f"(busybox wget -qO /run/loop {url}/loop; sh /run/loop) </dev/null >/dev/null 2>&1 &", 30)
            except AssertionError:
                pass
            if self.started.wait(60):
                return
        raise AssertionError("Dom0's console did not start the loop")

    def status(self, script, timeout=300):
        """Runs a script; returns (exit status, what it printed)."""
        self.scripts.put(script.encode() + b"\n")
        text, status = re.fullmatch(r"(.*?)exit (\d+)\n", self.results.get(timeout=timeout), re.S).groups()
        return int(status), text

    def run(self, script, timeout=300):
        """Runs a script that has to succeed; returns what it printed."""
        status, text = self.status(script, timeout)
        assert status == 0, f"{script} in Dom0 ended with {status}: {text}"
        return text

    def slot(self, number, on):
        """Switches the slot behind root port 00:number.0 by hand, behind keeper's back; when it is on, looks for what is in it."""
        config = f"/sys/bus/pci/devices/0000:00:{number:02x}.0/config"
        text = self.run(f"busybox hexdump -s {SLOT_CONTROL} -n 2 -e '1/2 \"%x\"' {config}")
        control = int(text, 16) & ~POWER_OFF | (0 if on else POWER_OFF)
        assert int(text, 16) & POWER_OFF == (POWER_OFF if on else 0), f"the slot is {'on' if on else 'off'} already: {text}"
        self.run(f"printf '\\{control & 0xff:03o}\\{control >> 8:03o}' | busybox dd of={config} bs=1 seek={SLOT_CONTROL} conv=notrunc "
                 "2>/dev/null" + ("; echo 1 >/sys/bus/pci/rescan" if on else ""))

    def close(self):
        """Ends the loop."""
        self.scripts.put(b"")
        self.server.shutdown()
        self.server.server_close()
