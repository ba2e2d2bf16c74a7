"""api/openapi.yaml as a judge: every answer that a test sees is checked against it, status, headers and body."""
import json
import pathlib
import re

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
SPEC = ROOT / "api" / "openapi.yaml"
METHODS = ("get", "put", "post", "patch", "delete", "head", "options")
UI_STATUS = {200, 304, 404, 405}


class ContractError(AssertionError):
    """An answer that openapi.yaml does not describe."""


def resolved(node, spec):
    """A copy of node with every $ref replaced by what it names; none of ours is recursive."""
    if isinstance(node, list):
        return [resolved(v, spec) for v in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str):
        target = spec
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        rest = {k: v for k, v in node.items() if k != "$ref"}
        return {**resolved(target, spec), **resolved(rest, spec)}
    return {k: resolved(v, spec) for k, v in node.items()}


def closed(schema):
    """The schema with every object shut: an answer field that is not described is a finding."""
    if isinstance(schema, list):
        return [closed(v) for v in schema]
    if not isinstance(schema, dict):
        return schema
    out = {k: closed(v) for k, v in schema.items()}
    if "properties" in out and "additionalProperties" not in out and isinstance(out["properties"], dict):
        out["additionalProperties"] = False
    return out


def problems(schema, value):
    """What jsonschema has against value, as lines."""
    checker = jsonschema.Draft202012Validator(schema)
    return [f"{'/'.join(map(str, e.absolute_path)) or '(body)'}: {e.message[:300]}" for e in checker.iter_errors(value)]


class Contract:
    """openapi.yaml, loaded once."""

    def __init__(self, path=SPEC):
        with open(path, encoding="utf-8") as f:
            self.spec = yaml.safe_load(f)
        whole = resolved({k: v for k, v in self.spec.items() if k != "components"}, self.spec)
        self.common = closed(whole["x-common-responses"])
        self.routes = []
        for template, item in whole["paths"].items():
            pattern = re.compile("".join(
                "[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]+\})", template)))
            for method in METHODS:
                if method in item:
                    operation = {**item[method], "responses": closed(item[method]["responses"])}
                    self.routes.append((method.upper(), pattern, template, operation))

    def route_table(self):
        """The set of (method, path template, privilege)."""
        return {(method, template, op["x-privilege"]) for method, _, template, op in self.routes}

    def methods(self, path):
        """The methods that path has; empty when the path is none of the API's."""
        return {method for method, pattern, _, _ in self.routes if pattern.fullmatch(path)}

    def operation(self, method, path):
        """The operation behind method and path, or None; HEAD falls back to GET."""
        for wanted in (method, "GET" if method == "HEAD" else None):
            for m, pattern, _, op in self.routes:
                if m == wanted and pattern.fullmatch(path):
                    return op
        return None

    def check(self, method, path, response, sent=None):
        """Raises ContractError unless openapi.yaml describes this response to method and path.

        sent is the JSON body of the request: what was accepted must be what the contract accepts."""
        def refuse(why):
            raise ContractError(f"{method} {path} answered {response.status}: {why}\n{response.headers}\n{response.body[:2000]!r}")

        if response.status == 500:
            refuse("a 500 is a bug")
        op = self.operation(method, path)
        if op is None and not self.methods(path) and not path.startswith("/api"):
            if response.status not in UI_STATUS and str(response.status) not in self.common:
                refuse("no status of the dashboard's files")
            return
        table = {**self.common, **(op["responses"] if op else {})}
        if str(response.status) not in table:
            refuse("no such status in openapi.yaml")
        described = table[str(response.status)]
        self._headers(described, response, refuse)
        self._body(method, described, response, refuse)
        if op and sent is not None and 200 <= response.status < 300:
            content = op.get("requestBody", {}).get("content", {})
            for media in content.values():
                found = problems(media["schema"], sent)
                if found:
                    refuse("accepted a body that openapi.yaml refuses: " + "; ".join(found))

    @staticmethod
    def _headers(described, response, refuse):
        for name, header in described.get("headers", {}).items():
            value = response.header(name)
            if value is None:
                if header.get("required"):
                    refuse(f"header {name} is missing")
            elif problems(header["schema"], value):
                refuse(f"header {name}: " + "; ".join(problems(header["schema"], value)))
        if response.status != 101:
            if response.header("Cache-Control") != "no-store":
                refuse("Cache-Control must be no-store")
            if response.header("X-Content-Type-Options") != "nosniff":
                refuse("X-Content-Type-Options must be nosniff")

    @staticmethod
    def _body(method, described, response, refuse):
        if method == "HEAD" or "content" not in described:
            if response.body:
                refuse("a body where none is described")
            return
        media = (response.header("Content-Type") or "").split(";")[0].strip()
        if media not in described["content"]:
            refuse(f"Content-Type {media!r}, described: {', '.join(described['content'])}")
        schema = described["content"][media]["schema"]
        try:
            text = response.body.decode("utf-8", "replace" if media == "text/plain" else "strict")
            value = json.loads(text) if media.endswith("json") else text
        except ValueError as e:
            refuse(f"body does not read: {e}")
        found = problems(schema, value)
        if found:
            refuse("; ".join(found))
        if media == "application/problem+json":
            if value["status"] != response.status:
                refuse("the problem's status is not the answer's")
            if value["type"] != "urn:domus:problem:" + value["code"]:
                refuse("the problem's type does not end with its code")

    def event_problems(self, event):
        """What is wrong with the data of a server-sent event, as lines."""
        op = self.operation("GET", "/api/v1/events")
        return problems(op["responses"]["200"]["content"]["text/event-stream"]["x-event"], event)


def load():
    """The contract, loaded once for the whole run."""
    if not hasattr(load, "kept"):
        load.kept = Contract()
    return load.kept
