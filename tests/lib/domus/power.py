"""What tests of power need: devices by id, the rule of docs/power.md, and faults of the simulated board."""
from domus.processes import wait_until

NVME, NIC, DRIVE = "pcie-00.01.0", "pcie-00.02.0", "usb-00.03.0-1.1"
GPU, DISPLAY = "platform-53100000.gpu", "platform-56180000.display"
NEEDED, CORE = "platform-5b010000.mmc", "cpu-3"
ALIVE = ("starting", "running", "paused", "stopping")


def device(api, id_):
    """One device."""
    response = api.get(f"/api/v1/devices/{id_}")
    assert response.status == 200, response
    return response.json()


def devices(api, query=""):
    """{id: device}."""
    response = api.get(f"/api/v1/devices?limit=200{query}")
    assert response.status == 200, response
    return {d["id"]: d for d in response.json()["items"]}


def power(api, id_):
    """What was read back."""
    return device(api, id_)["power"]["actual"]


def wait_power(api, id_, want):
    """Waits until the device reads so."""
    wait_until(lambda: power(api, id_) == want, f"{id_} to be {want}")


def history(api, id_):
    """[(power, cause, domain, actor)], the newest first."""
    items = api.get(f"/api/v1/devices/{id_}/history?limit=200").json()["items"]
    return [(r["power"], r["cause"], r["domain"], r["actor"]) for r in items]


def alerts(api):
    """{(code, resource)} of what is wrong now."""
    return {(a["code"], a["resource"]) for a in api.get("/api/v1/alerts?open=true").json()["items"]}


def violations(api):
    """Rails that break the rule: on or not known to be off without a booted owner, a policy or a need; or off under a domain that
    runs. The owner's state is read before and after, so that a start or stop in between is no finding."""
    states = {d["name"]: d["status"]["state"] for d in api.get("/api/v1/domains?limit=200").json()["items"]}
    found = []
    for id_, d in devices(api).items():
        if d["gate"] in ("none", "hypervisor") or d["needed"]:
            continue
        lives = states.get(d["power"]["domain"]) in ALIVE
        if d["power"]["actual"] != "off" and not lives and not d["policy"]["always_on"]:
            found.append((id_, "not off"))
        if d["power"]["actual"] != "on" and d["power"]["domain"] and states.get(d["power"]["domain"]) == "running":
            found.append((id_, "not on"))
    return found


def physical(path):
    """{id} of the devices that have power, from the simulated board itself and not from the agent (option truth=FILE)."""
    lines = path.read_text(encoding="utf-8").split()
    return set(lines)
