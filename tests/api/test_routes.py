"""One description: openapi.yaml, the route table of domusd and what it serves are the same."""
import json
import os
import pathlib
import subprocess

import jsonschema
import yaml

from domus import contract, hostagent
from domus.processes import wait_until


def test_route_table_equals_openapi():
    done = subprocess.run([str(hostagent.BINARIES / "domusd"), "--print-routes"], capture_output=True, text=True, check=True)
    table = set()
    for line in done.stdout.splitlines():
        method, path, privilege = line.split()
        assert (method, path, privilege) not in table, f"twice: {line}"
        table.add((method, path, privilege))
    described = contract.load().route_table()
    assert table - described == set(), "in domusd, not in openapi.yaml"
    assert described - table == set(), "in openapi.yaml, not in domusd"


def test_served_openapi_is_the_yaml(api):
    served = api.get("/api/v1/openapi.json", auth=False).json()
    written = yaml.safe_load(contract.SPEC.read_text(encoding="utf-8"))
    served["info"].pop("version")
    written["info"].pop("version")
    assert served == json.loads(json.dumps(written))


def test_served_openapi_has_the_software_version(api):
    version = (contract.ROOT / "VERSION").read_text(encoding="ascii").strip()
    assert api.get("/api/v1/openapi.json", auth=False).json()["info"]["version"] == version
    assert api.get("/api", auth=False).json()["version"] == version


def test_schemas_are_schemas():
    spec = contract.load().spec
    for schema in spec["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(contract.resolved(schema, spec))


def test_defaults_hold_against_their_own_schema():
    def walk(node, where):
        if isinstance(node, dict):
            if "default" in node and ("type" in node or "oneOf" in node):
                assert contract.problems(node, node["default"]) == [], where
            for key, value in node.items():
                walk(value, f"{where}/{key}")
        elif isinstance(node, list):
            for value in node:
                walk(value, where)
    spec = contract.load().spec
    walk(contract.resolved(spec["components"]["schemas"], spec), "schemas")


def test_request_bodies_are_closed():
    for method, _, template, op in contract.load().routes:
        for media, content in op.get("requestBody", {}).get("content", {}).items():
            if media.endswith("json"):
                assert content["schema"]["additionalProperties"] is False, (method, template)


def test_every_described_method_is_routed_and_no_other(api):
    for template in {t for _, _, t, _ in api.contract.routes}:
        path = template.replace("{id}", "x").replace("{name}", "x")
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "BREW"):
            if method in api.contract.methods(path) or (method == "HEAD" and "GET" in api.contract.methods(path)):
                continue
            response = api.request(method, path)
            assert response.status == 405, (method, path, response)
            allowed = set(response.header("Allow").split(", "))
            assert allowed - {"HEAD"} == api.contract.methods(path) - {"HEAD"}, (method, path)


def test_head_is_get_without_the_body(api):
    for path in ("/api", "/healthz", "/api/v1/domains", "/api/v1/system", "/api/v1/networks/lan0"):
        get, head = api.get(path), api.request("HEAD", path)
        assert head.status == 200 and head.body == b""
        assert head.header("Content-Type") == get.header("Content-Type")
        assert head.header("ETag") == get.header("ETag")


def test_unknown_paths_below_the_api_are_404(api):
    for path in ("/api/v1", "/api/v2/domains", "/api/v1/nothing", "/api/v1/domains/a/b", "/api/v1/domains/", "/api/", "/api//v1/domains",
                 "/api/v1/domains/a/actions/explode"):
        response = api.get(path)
        assert (response.status, response.code) == (404, "path.unknown"), path


def test_problem_names_the_path_and_a_request(api):
    first = api.get("/api/v1/domains/nothing").json()
    second = api.get("/api/v1/domains/nothing").json()
    assert first["instance"] == "/api/v1/domains/nothing"
    assert first["request_id"] != second["request_id"]


def test_accept_header_does_not_matter(api):
    for accept in ("*/*", "text/html", "application/xml;q=1", ""):
        assert api.get("/api/v1/domains", headers={"Accept": accept}).status == 200


def test_dashboard_is_served_with_a_strict_policy(api):
    response = api.get("/", auth=False)
    assert response.status == 200
    policy = response.header("Content-Security-Policy")
    assert "unsafe-inline" not in policy and "unsafe-eval" not in policy
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";") if " " in rule.strip())
    assert rules["default-src"] == "'none'"
    assert rules["frame-ancestors"] == "'none'"
    assert "http:" not in policy and "https:" not in policy and "*" not in policy
    assert response.header("X-Content-Type-Options") == "nosniff"
    assert response.header("Referrer-Policy") == "no-referrer"


def test_dashboard_paths_cannot_leave_its_folder(api):
    secret = "/etc/hostname"
    content = pathlib.Path(secret).read_bytes()
    for path in ("/../" * 12 + "etc/hostname", "/..%2f" * 12 + "etc/hostname", "/%2e%2e/" * 12 + "etc/hostname",
                 "//etc/hostname", "/assets/../../../../../../../../etc/hostname", "/%00/etc/hostname"):
        response = api.get(path, auth=False, check=False)
        assert response.status in (200, 400, 404), path
        assert response.body != content, path


def test_versions_of_print_routes_and_help_exit_zero():
    for flag in ("--print-routes", "--help", "--version"):
        done = subprocess.run([str(hostagent.BINARIES / "domusd"), flag], capture_output=True, check=False, env=dict(os.environ))
        assert done.returncode == 0 and done.stdout, flag


def test_system_describes_the_machine(api):
    system = api.get("/api/v1/system").json()
    assert system["memory"]["free_mib"] <= system["memory"]["total_mib"]
    assert system["storage"]["free"] <= system["storage"]["total"]
    assert system["version"] == (contract.ROOT / "VERSION").read_text(encoding="ascii").strip()


def test_metrics_are_prometheus_text(api):
    response = api.get("/metrics")
    assert response.header("Content-Type").startswith("text/plain; version=0.0.4")
    families = {}
    for line in response.body.decode().splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name not in families, f"{name} is described twice"
            families[name] = kind
        elif line and not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            float(value)
            base = name.split("{")[0]
            assert any(base == f or base.removeprefix(f) in ("_sum", "_count", "_bucket") for f in families), base
            assert base.startswith(("domus_", "process_")), base
    assert families


def test_readiness_follows_the_keeper(fresh):
    assert fresh.client.get("/readyz").status == 200
    fresh.kill("keeper")
    assert fresh.client.get("/readyz").status == 503
    assert fresh.client.get("/healthz").status == 200
    fresh.start_keeper()
    wait_until(lambda: fresh.client.get("/readyz").status == 200, "readyz after keeper is back", 30)
