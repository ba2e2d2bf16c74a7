"""The plug is pulled, and the appliance is stopped and run again: what was acknowledged is there."""
import hashlib

from domus.images import definition
from domus.outside import Outside
from domus.streams import Console, Events


def run(appliance):
    """make run, which is back when the API says that it is ready: by then nobody's slots have no power any more."""
    appliance.run()
    with Outside(appliance.run_dir) as outside:
        assert outside.slots_mapped() == {4: False, 5: False}


def test_resource_is_there_after_a_power_cut_right_after_the_201(appliance, api, images):
    response = api.post("/api/v1/domains", definition("cut", images["kernel"], memory_mib=64, description="acknowledged"))
    appliance.power_cut()
    assert response.status == 201
    run(appliance)
    again = api.get("/api/v1/domains/cut")
    assert again.status == 200 and again.header("ETag") == response.header("ETag")
    assert again.json() == response.json()


def test_upload_goes_on_after_a_power_cut(appliance, api):
    data = bytes(range(256)) * 4096
    upload = api.begin_upload("cut disk", "disk", len(data)).json()["id"]
    api.append(upload, 0, data[:400_000])
    appliance.power_cut()
    run(appliance)
    offset = api.offset(upload)
    assert offset <= 400_000
    assert api.append(upload, offset, data[offset:]).status == 204
    image = api.get(f"/api/v1/uploads/{upload}").json()["image"]
    assert api.get(f"/api/v1/images/{image}").json()["sha256"] == hashlib.sha256(data).hexdigest()


def test_stop_is_clean_and_run_brings_everything_back(appliance, api, define):
    define("kept", description="survives")
    api.act("kept", "start")
    with Console(api, "kept") as console:
        console.expect(rb"guest: ready")
    with Events(api) as events:
        start = events.start
        before = {path: api.every(path) for path in ("/api/v1/images", "/api/v1/volumes", "/api/v1/tokens")}
        ca = (appliance.run_dir / "ca.pem").read_bytes()
        said = appliance.stop()
        assert events.ended.wait(60)
    assert "cutting the power" not in said, said
    run(appliance)
    assert "#claim=" not in appliance.output
    assert (appliance.run_dir / "ca.pem").read_bytes() == ca
    for path, items in before.items():
        ids = {i["id"] for i in items}
        assert {i["id"] for i in api.every(path)} == ids, path
    assert api.state("kept") == "stopped"
    with Events(api, last_id=start) as events:
        events.wait(lambda e: e["type"] == "system.started")
    assert b"guest: ready" in api.get("/api/v1/domains/kept/console/log").body
    api.act("kept", "start")
    with Console(api, "kept") as console:
        console.expect(rb"guest: ready", 300)


def test_boot_id_changes_with_the_boot_and_only_then(appliance, api):
    first = api.get("/api/v1/system").json()
    second = api.get("/api/v1/system").json()
    assert first["boot_id"] == second["boot_id"]
    appliance.stop()
    run(appliance)
    assert api.get("/api/v1/system").json()["boot_id"] != first["boot_id"]
