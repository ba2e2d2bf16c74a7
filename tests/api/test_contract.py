"""The judge is judged: answers that openapi.yaml does not describe are refused by tests/lib/domus/contract.py."""
import copy
import json

import pytest

from domus import contract
from domus.client import Response

HEADERS = [("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), ("ETag", '"r1"')]
NETWORK = {"id": "lan0", "name": "lan0", "mode": "nat", "cidr": None, "dhcp": True, "used_by": [], "revision": 1}
PROBLEM = {"type": "urn:domus:problem:network.unknown", "title": "No such network", "status": 404, "detail": "There is none.",
           "instance": "/api/v1/networks/lan0", "code": "network.unknown", "request_id": "0123456789"}


def check(status=200, headers=tuple(HEADERS), body=None, method="GET", path="/api/v1/networks/lan0", sent=None):
    content = json.dumps(NETWORK if body is None else body).encode() if not isinstance(body, bytes) else body
    contract.load().check(method, path, Response(status, list(headers), content), sent)


def changed(document, **fields):
    return {**copy.deepcopy(document), **fields}


def without(name):
    return [h for h in HEADERS if h[0] != name]


def problem_headers():
    return [("Content-Type", "application/problem+json"), *HEADERS[1:3]]


def test_described_answer_passes():
    check()
    check(404, problem_headers(), PROBLEM)


@pytest.mark.parametrize("case", [
    {"status": 500}, {"status": 201}, {"status": 418}, {"headers": without("ETag")}, {"headers": without("Cache-Control")},
    {"headers": without("X-Content-Type-Options")}, {"headers": [*without("ETag"), ("ETag", "r1")]},
    {"headers": [("Content-Type", "text/html"), *HEADERS[1:]]}, {"body": changed(NETWORK, colour="red")}, {"body": changed(NETWORK, dhcp="yes")},
    {"body": {"id": "lan0"}}, {"body": b"{"}, {"body": b"\xff"}, {"status": 404, "headers": problem_headers(), "body": {}},
    {"status": 404, "headers": problem_headers(), "body": changed(PROBLEM, status=400)},
    {"status": 404, "headers": problem_headers(), "body": changed(PROBLEM, type="about:blank")},
    {"status": 405, "headers": problem_headers(), "body": changed(PROBLEM, status=405)},
    {"method": "HEAD"}, {"method": "DELETE", "path": "/api/v1/images/x", "status": 204},
    {"path": "/somewhere", "status": 302}])
def test_answer_that_is_not_described_is_refused(case):
    with pytest.raises(contract.ContractError):
        check(**case)


def test_body_that_was_accepted_against_the_contract_is_a_finding():
    volume = {"id": "a", "name": "a", "size": 1 << 20, "image": None, "used_by": [], "created": "2026-01-01T00:00:00Z", "revision": 1}
    headers = [*HEADERS, ("Location", "/api/v1/volumes/a")]
    arguments = {"status": 201, "headers": headers, "body": volume, "method": "POST", "path": "/api/v1/volumes"}
    check(**arguments, sent={"name": "a", "size": 1 << 20})
    with pytest.raises(contract.ContractError):
        check(**arguments, sent={"name": "a", "size": 1 << 20, "colour": "red"})


def test_events_are_checked():
    event = {"seq": 1, "time": "2026-01-01T00:00:00Z", "type": "domain.state", "resource": "domains/a", "revision": None, "actor": "system",
             "operation": None, "data": None}
    assert contract.load().event_problems(event) == []
    assert contract.load().event_problems(changed(event, type="domain.sneezed"))
    assert contract.load().event_problems(changed(event, more=1))
