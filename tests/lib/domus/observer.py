"""Watches a board while tests do things to it: the machine's own view of power (QMP) beside the states of domains that the API
tells, each with its times. Afterwards judge() says where the two broke the rule of docs/power.md, and for how long.

How long is not asked of the clock alone. A QEMU that has to wait for a core cannot keep a promise, so the time for which one of
its threads stood ready to run and was not run (proc(5), /proc/PID/task/TID/schedstat, second number) is taken off: of all threads
the one that waited longest, which is never more than the machine stood still, and less when several waited in turn."""
import bisect
import dataclasses
import http.client
import json
import os
import pathlib
import threading
import time

from domus.outside import Outside

PAUSE = 0.05  # between two looks
ALIVE = ("starting", "running", "paused", "stopping")
HAS = ("running", "paused")
BINS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, float("inf"))


@dataclasses.dataclass(frozen=True)
class State:
    """A domain as the API tells it."""
    state: str
    since: str
    reason: str

    def lives(self):
        """Is it built, does it run, is it being ended? One that stopped by itself says why."""
        return self.state in ALIVE and not (self.state == "stopping" and self.reason)


GONE = State("stopped", "", "")  # not defined


@dataclasses.dataclass
class Break:
    """The rule was broken: from the first look that saw it to the last."""
    device: str
    kind: str  # "on without an owner" or "off under its owner"
    begin: float
    end: float
    starved: float = 0.0

    @property
    def seconds(self):
        """For how long, without what QEMU had to wait."""
        return max(0.0, self.end - self.begin - self.starved)

    def __str__(self):
        return f"{self.device} {self.kind} for {self.seconds:.2f} s ({self.end - self.begin:.2f} s by the clock)"


def judge(views, states, owner, device):
    """Breaks of the rule by one device. views: [(time, on or None)]; states: [(asked, answered, {domain: State})], both in order.
    A view is judged when the owner's state was the same, with the same beginning, in the answers before and after it."""
    answered = [s[1] for s in states]
    asked = [s[0] for s in states]
    breaks, now = [], None
    for when, on in views:
        before, after = bisect.bisect_right(answered, when) - 1, bisect.bisect_left(asked, when)
        if on is None or before < 0 or after >= len(states):
            continue
        first, then = (states[i][2].get(owner, GONE) for i in (before, after))
        if first != then:
            continue
        kind = "on without an owner" if on and not first.lives() else "off under its owner" if not on and first.state in HAS else None
        if kind is None:
            now = None
        elif now and now.kind == kind:
            now.end = when
        else:
            now = Break(device, kind, when, when)
            breaks.append(now)
    return breaks


class Observer:
    """Threads that look until close(). owners: {device: domain}, slots: {device: number of its root port}, drives: {device: its
    drive}. The connection to qmp.sock is the observer's; others ask through ask()."""

    def __init__(self, appliance, owners, slots, drives):
        self.appliance, self.owners, self.slots, self.drives = appliance, owners, slots, drives
        self.outside, self.lock = Outside(appliance.run_dir), threading.Lock()
        self.pid = appliance.pid()
        self.views = {name: [] for name in owners}
        self.states, self.waits, self.errors = [], [], []
        self.served = {}  # reads of each drive at the latest look
        self.looks = 0
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._until, args=(look,), daemon=True) for look in (self._look, self._ask, self._wait)]
        self.connection = None
        for thread in self.threads:
            thread.start()

    def _until(self, look):
        while not self.stopping.is_set():
            try:
                look()
            except Exception as e:  # pylint: disable=broad-except
                self.errors.append((time.monotonic(), repr(e)))
                self._hang_up()
            self.stopping.wait(PAUSE)

    def ask(self, command, **arguments):
        """A QMP command."""
        with self.lock:
            return self.outside.ask(command, **arguments)

    def _look(self):
        with self.lock:
            begin = time.monotonic()
            mapped = self.outside.slots_mapped()
            drives = self.outside.drives()
        for name, number in self.slots.items():
            # nothing is known of it while Linux numbers the buses anew, as it does after power-on
            self.views[name].append((begin, mapped.get(number)))
        for name, drive in self.drives.items():
            # a drive's power cannot be seen, only that it serves reads: then it has been on since the look before
            count = drives.get(drive, 0)
            self.views[name].append((begin, True if count > self.served.get(name, count) else None))
            self.served[name] = count
        self.looks += 1

    def _hang_up(self):
        if threading.current_thread() is self.threads[1] and self.connection:
            self.connection.close()
            self.connection = None

    def _ask(self):
        client = self.appliance.client
        if not self.connection:
            host, port = client.address()
            self.connection = http.client.HTTPSConnection(host, port, timeout=30, context=client.context())
        begin = time.monotonic()
        self.connection.request("GET", "/api/v1/domains?limit=200", headers={"Authorization": f"Bearer {client.token}"})
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise ValueError(f"{answer.status} {body[:200]!r}")
        found = {d["name"]: State(d["status"]["state"], d["status"]["since"], d["status"]["reason"] or "")
                 for d in json.loads(body)["items"]}
        self.states.append((begin, time.monotonic(), found))

    def _wait(self):
        waits = {}
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                text = pathlib.Path(f"/proc/{self.pid}/task/{task}/schedstat").read_text(encoding="ascii")
            except OSError:
                continue  # a thread of the pool that ended meanwhile
            waits[task] = int(text.split()[1]) / 1e9
        self.waits.append((time.monotonic(), waits))

    def starved(self, begin, end):
        """The longest that one thread of QEMU waited for a core between these times."""
        times = [w[0] for w in self.waits]
        first = self.waits[max(0, bisect.bisect_right(times, begin) - 1)][1]
        last = self.waits[min(len(times) - 1, bisect.bisect_left(times, end))][1]
        return max((last[t] - first.get(t, 0.0) for t in last), default=0.0)

    def on(self, device):
        """The latest look at a slot."""
        return self.views[device][-1][1]

    def looked(self):
        """Waits for a look at everything that begins from now on."""
        counts = [len(self.states), *(len(v) for v in self.views.values())]
        end = time.monotonic() + 60
        while any(a < b + 2 for a, b in zip([len(self.states), *(len(v) for v in self.views.values())], counts)):
            assert time.monotonic() < end, f"the observer sees nothing any more: {self.errors[-3:]}"
            time.sleep(0.02)

    def breaks(self):
        """All breaks of the rule since forget()."""
        self.looked()
        states, found = list(self.states), []
        for name, owner in self.owners.items():
            found += judge(list(self.views[name]), states, owner, name)
        for b in found:
            b.starved = self.starved(b.begin, b.end)
        return found

    def forget(self):
        """Begins anew, when nothing is going on."""
        for seen in (self.states, self.waits, *self.views.values()):
            del seen[:-2]

    def close(self):
        """Lets QEMU talk to somebody else."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)
        if self.connection:
            self.connection.close()
        self.outside.close()


def histogram(breaks, looks):
    """What was seen, as text: how many breaks of the rule lasted how long."""
    kinds = ("on without an owner", "off under its owner")
    lines = [f"{looks} looks; breaks of the rule by how long they were seen, in seconds",
             f"{'':22}" + "".join(f"{('< %g' % b) if b < float('inf') else 'more':>8}" for b in BINS[1:]) + f"{'longest':>9}{'by the clock':>14}"]
    for kind in kinds:
        seconds = [b.seconds for b in breaks if b.kind == kind]
        clock = [b.end - b.begin for b in breaks if b.kind == kind]
        counts = [sum(low <= s < high for s in seconds) for low, high in zip(BINS, BINS[1:])]
        lines.append(f"{kind:22}" + "".join(f"{c:8}" for c in counts) + f"{max(seconds, default=0):9.2f}{max(clock, default=0):14.2f}")
    return "\n".join(lines)
