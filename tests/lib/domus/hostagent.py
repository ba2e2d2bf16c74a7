"""The agent on the build host: the real domusd and keeper, the board behind keeper simulated."""
import contextlib
import getpass
import hashlib
import http.client
import os
import pathlib
import re
import shutil
import signal
import ssl
import subprocess
import tempfile

from domus import processes
from domus.client import Client
from domus.contract import ROOT


BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
BINARIES = BUILD / "agent" / "host"


class HostAgent:
    """domusd and keeper on a state directory of their own."""

    def __init__(self, machine=""):
        # a short path: a Unix socket's name has 107 bytes
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="domus-"))
        self.state = self.dir / "state"
        # as packaging/image does it for the appliance: keeper opens these folders when it starts
        for folder in (self.state, self.state / "images", self.state / "volumes"):
            folder.mkdir(mode=0o700)
        self.socket = self.dir / "keeper.sock"
        self.banner = self.dir / "banner"
        self.prefix = []
        self.machine = machine  # options of the simulated board, see docs/keeper.md
        self.keeper = None
        self.domusd = None
        self.port = None
        self.listen = "0"
        self.client = None

    # processes

    def _spawn(self, name, command):
        with open(self.dir / f"{name}.log", "ab") as log:
            # pylint: disable-next=consider-using-with
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.dir)

    def start_keeper(self):
        """Starts keeper and waits for its socket."""
        self.socket.unlink(missing_ok=True)
        self.keeper = self._spawn("keeper", [str(BINARIES / "keeper"), "--socket", str(self.socket), "--state",
                                             str(self.state), "--client-user", getpass.getuser(),
                                             "--machine-options", self.machine])
        self._wait(self.keeper, "keeper", self.socket.exists)

    def start_domusd(self):
        """Starts domusd and waits until it says that it is ready."""
        self.banner.unlink(missing_ok=True)
        self.domusd = self._spawn("domusd", self.prefix + [
            str(BINARIES / "domusd"), "--state", str(self.state), "--keeper", str(self.socket), "--webui",
            str(BUILD / "webui"), "--openapi", str(BUILD / "api" / "openapi.json"), "--listen", self.listen, "--banner",
            str(self.banner)])
        self._wait(self.domusd, "domusd", lambda: "domus: ready" in self.banner_text())
        self.port = int(self.said(r"domus: listening (?:.*:)?(\d+)"))
        ca = self.dir / "ca.pem"
        if not ca.exists():
            self._fetch_ca(ca)
        if self.client is None:
            self.client = Client(lambda: ("127.0.0.1", self.port), ca)

    def start(self):
        """Starts both."""
        self.start_keeper()
        self.start_domusd()
        return self

    def _wait(self, process, name, ready):
        def check():
            assert process.poll() is None, f"{name} ended with {process.returncode}:\n{self.log(name)}"
            return ready()
        try:
            processes.wait_until(check, f"{name} to be ready", 60, 0.01)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.log(name)}") from None

    def kill(self, name):
        """SIGKILL to domusd or keeper."""
        process = getattr(self, name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self, name):
        """SIGTERM; the exit status must be 0."""
        process = getattr(self, name)
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill(name)
            raise AssertionError(f"{name} does not end on SIGTERM:\n{self.log(name)}") from None
        assert process.returncode == 0, f"{name} ended with {process.returncode}:\n{self.log(name)}"

    def restart_domusd(self, kill=False):
        """Stops (or kills) domusd and starts it again on the same state."""
        (self.kill if kill else self.stop)("domusd")
        self.start_domusd()

    def restart_keeper(self, kill=False):
        """Stops (or kills) keeper and starts it again on the same state."""
        (self.kill if kill else self.stop)("keeper")
        self.start_keeper()

    def close(self, keep=False):
        """Ends both and removes their directory."""
        try:
            self.stop("domusd")
            self.stop("keeper")
        finally:
            for name in ("domusd", "keeper"):
                process = getattr(self, name)
                if process is not None and process.poll() is None:
                    self.kill(name)
            if not keep:
                shutil.rmtree(self.dir, ignore_errors=True)

    # what it says

    def banner_text(self):
        """What domusd wrote for the console so far."""
        with contextlib.suppress(FileNotFoundError):
            return self.banner.read_text(encoding="utf-8")
        return ""

    def said(self, pattern):
        """The first group of pattern in the banner."""
        match = re.search(pattern, self.banner_text())
        assert match, f"the banner has no {pattern!r}:\n{self.banner_text()}"
        return match.group(1)

    def log(self, name):
        """The end of a program's log."""
        return f"--- {name}.log\n" + processes.tail(self.dir / f"{name}.log")

    def claim_code(self):
        """The claim code as the console shows it."""
        return self.said(r"domus: claim code (\S+)")

    def _fetch_ca(self, path):
        """Takes the CA's certificate from the daemon itself, believing it by the fingerprint in the banner as a person would."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=context)
        connection.request("GET", "/api/v1/ca.pem")
        pem = connection.getresponse().read()
        connection.close()
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.decode())).hexdigest()
        said = self.said(r"domus: certificate authority sha256 (\S+)").replace(":", "").lower()
        assert digest == said, "the CA that is served is not the one that the console shows"
        path.write_bytes(pem)


def tmpfs_prefix(mountpoint, size):
    """A command prefix that runs a program with a tmpfs of size bytes on mountpoint, as root or as an ordinary user."""
    flags = ["--mount"] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps", "--mount"]
    if os.geteuid() != 0 and subprocess.run(["unshare", *flags, "true"], capture_output=True, check=False).returncode:
        flags = ["--map-root-user", "--mount"]
    script = f'mount -t tmpfs -o size={size},mode=0700 domus "{mountpoint}" && exec "$@"'
    return ["unshare", *flags, "sh", "-c", script, "sh"]


def tmpfs_possible():
    """True when this user may mount a tmpfs in a namespace of their own."""
    with tempfile.TemporaryDirectory() as there:
        return subprocess.run([*tmpfs_prefix(there, 65536), "true"], capture_output=True, check=False).returncode == 0
