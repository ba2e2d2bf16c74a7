"""Who may: sessions, their cookie and CSRF token, API tokens."""
import re


def with_cookie(client, method, path, cookie, csrf=None, **kw):
    headers = {"Cookie": cookie, **({"X-CSRF-Token": csrf} if csrf else {}), **kw.pop("headers", {})}
    return client.request(method, path, headers=headers, auth=False, **kw)


def test_no_credential_is_401(api):
    for method, path in (("GET", "/api/v1/domains"), ("POST", "/api/v1/domains"), ("DELETE", "/api/v1/images/x"),
                         ("GET", "/metrics"), ("GET", "/api/v1/events"), ("POST", "/api/v1/uploads")):
        response = api.request(method, path, auth=False)
        assert (response.status, response.code) == (401, "auth.required"), path


def test_every_route_with_a_privilege_refuses_the_unknown_caller(api):
    for method, template, privilege in sorted(api.contract.route_table()):
        if privilege == "none":
            continue
        path = re.sub(r"\{[^}]+\}", "x", template)
        assert api.request(method, path, auth=False).status == 401, (method, path)


def test_wrong_token_is_401(api):
    for value in ("domus_" + "A" * 43, "", "domus_", "x" * 5000):
        assert api.get("/api/v1/system", headers={"Authorization": f"Bearer {value}"}).status == 401


def test_other_authentication_schemes_are_401(api):
    assert api.get("/api/v1/system", headers={"Authorization": "Basic YWRtaW46YWRtaW4="}).status == 401


def test_session_cookie_has_its_attributes(api):
    response = api.post("/api/v1/sessions", {"username": "admin", "password": "correct horse"}, auth=False)
    cookie, *attributes = [p.strip() for p in response.header("Set-Cookie").split(";")]
    assert cookie.startswith("__Host-domus_session=")
    names = {a.split("=")[0].lower(): a for a in attributes}
    assert {"secure", "httponly"} <= names.keys()
    assert names["samesite"] == "SameSite=Strict"
    assert names["path"] == "Path=/"
    assert "domain" not in names


def test_cookie_reads_without_csrf_token(api):
    cookie, _ = api.login()
    assert with_cookie(api, "GET", "/api/v1/domains", cookie).status == 200


def test_cookie_writes_with_csrf_token_only(api):
    cookie, csrf = api.login()
    body = {"name": "by-cookie", "size": 1048576}
    refused = with_cookie(api, "POST", "/api/v1/volumes", cookie, json=body)
    assert (refused.status, refused.code) == (403, "csrf.missing")
    assert with_cookie(api, "POST", "/api/v1/volumes", cookie, "x" * len(csrf), json=body).status == 403
    response = with_cookie(api, "POST", "/api/v1/volumes", cookie, csrf, json=body)
    assert response.status == 201
    assert api.delete(response.header("Location")).status == 204


def test_csrf_token_of_another_session_is_refused(api):
    cookie, _ = api.login()
    _, other = api.login()
    assert with_cookie(api, "DELETE", "/api/v1/sessions/current", cookie, other).status == 403


def test_token_needs_no_csrf_token(api):
    response = api.post("/api/v1/volumes", {"name": "by-token", "size": 1048576})
    assert response.status == 201
    api.delete(response.header("Location"))


def test_current_session_gives_the_csrf_token_again(api):
    cookie, csrf = api.login()
    response = with_cookie(api, "GET", "/api/v1/sessions/current", cookie)
    assert response.json()["csrf_token"] == csrf
    assert response.json()["username"] == "admin"


def test_caller_with_a_token_has_no_session(api):
    for method in ("GET", "DELETE"):
        response = api.request(method, "/api/v1/sessions/current")
        assert (response.status, response.code) == (404, "session.none")


def test_logged_out_cookie_is_dead(api):
    cookie, csrf = api.login()
    assert with_cookie(api, "DELETE", "/api/v1/sessions/current", cookie, csrf).status == 204
    assert with_cookie(api, "GET", "/api/v1/domains", cookie).status == 401


def test_logging_out_leaves_other_sessions(api):
    cookie, csrf = api.login()
    other, _ = api.login()
    with_cookie(api, "DELETE", "/api/v1/sessions/current", cookie, csrf)
    assert with_cookie(api, "GET", "/api/v1/domains", other).status == 200


def test_wrong_password_and_unknown_user_look_the_same(fresh):
    answers = [fresh.client.post("/api/v1/sessions", {"username": user, "password": "wrong password"}, auth=False)
               for user in ("admin", "nobody")]
    assert [a.status for a in answers] == [401, 401]
    assert [a.code for a in answers] == ["session.wrong_credentials"] * 2
    assert answers[0].json()["detail"] == answers[1].json()["detail"]


def test_guessing_passwords_is_rate_limited(fresh):
    statuses = [fresh.client.post("/api/v1/sessions", {"username": "admin", "password": f"guess {i}"}, auth=False).status
                for i in range(7)]
    assert statuses[:5] == [401] * 5
    assert statuses[5:] == [429] * 2


def test_rate_limited_logins_leave_tokens_alone(fresh):
    for i in range(7):
        fresh.client.post("/api/v1/sessions", {"username": "admin", "password": f"guess {i}"}, auth=False)
    assert fresh.client.get("/api/v1/system").status == 200


def test_session_survives_a_restart(fresh):
    cookie, csrf = fresh.client.login()
    fresh.restart_domusd()
    response = with_cookie(fresh.client, "GET", "/api/v1/sessions/current", cookie)
    assert response.status == 200 and response.json()["csrf_token"] == csrf


def test_new_token_works_and_is_listed_without_its_secret(api):
    response = api.post("/api/v1/tokens", {"name": "backup job", "expires_in_days": 7})
    assert response.status == 201
    made = response.json()
    assert api.with_token(made["token"]).get("/api/v1/system").status == 200
    listed = next(t for t in api.every("/api/v1/tokens") if t["id"] == made["id"])
    assert "token" not in listed and listed["name"] == "backup job"
    assert listed["last_used"] is not None
    api.delete(f"/api/v1/tokens/{made['id']}")


def test_revoked_token_is_dead(api):
    made = api.post("/api/v1/tokens", {"name": "short lived"}).json()
    assert api.request("DELETE", f"/api/v1/tokens/{made['id']}").status == 204
    assert api.with_token(made["token"]).get("/api/v1/system").status == 401
    assert api.request("DELETE", f"/api/v1/tokens/{made['id']}").status == 404


def test_token_expiry_is_days_from_now(api):
    made = api.post("/api/v1/tokens", {"name": "t", "expires_in_days": 365}).json()
    assert int(made["expires"][:4]) == int(made["created"][:4]) + 1 or made["created"][5:10] < "01-02"
    api.delete(f"/api/v1/tokens/{made['id']}")


def test_token_lifetime_is_bounded(api):
    for days in (0, 366, -1):
        response = api.post("/api/v1/tokens", {"name": "t", "expires_in_days": days})
        assert response.status == 422 and response.pointers() == {"/expires_in_days": "range"}


def test_token_survives_a_restart(fresh):
    fresh.restart_domusd(kill=True)
    assert fresh.client.get("/api/v1/system").status == 200
