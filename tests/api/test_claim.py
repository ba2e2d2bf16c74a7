"""The first run: one code, one administrator."""
import re
import sqlite3

CREDENTIALS = {"username": "admin", "password": "correct horse"}


def claim(client, code, /, **other):
    return client.post("/api/v1/claim", {**CREDENTIALS, "code": code, **other}, auth=False)


def wrong(code):
    """A code of the right form that is not the right one."""
    return code[:-1] + ("A" if code[-1] != "A" else "B")


def test_code_has_the_promised_form(unclaimed):
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", unclaimed.claim_code())


def test_api_says_unclaimed_then_claimed(unclaimed):
    assert unclaimed.client.get("/api").json()["claimed"] is False
    claim(unclaimed.client, unclaimed.claim_code())
    assert unclaimed.client.get("/api").json()["claimed"] is True


def test_claim_gives_a_token_that_works(unclaimed):
    response = claim(unclaimed.client, unclaimed.claim_code())
    assert response.status == 201
    assert unclaimed.client.with_token(response.json()["token"]).get("/api/v1/system").status == 200


def test_claimed_password_logs_in(unclaimed):
    claim(unclaimed.client, unclaimed.claim_code())
    unclaimed.client.login()


def test_wrong_code_is_refused(unclaimed):
    response = claim(unclaimed.client, wrong(unclaimed.claim_code()))
    assert (response.status, response.code) == (403, "claim.code_wrong")
    assert unclaimed.client.get("/api").json()["claimed"] is False


def test_reused_code_is_refused(unclaimed):
    code = unclaimed.claim_code()
    assert claim(unclaimed.client, code).status == 201
    response = claim(unclaimed.client, code, username="eve")
    assert (response.status, response.code) == (409, "claim.already_claimed")


def test_reused_code_is_refused_after_a_restart(unclaimed):
    code = unclaimed.claim_code()
    assert claim(unclaimed.client, code).status == 201
    unclaimed.restart_domusd()
    assert "claim code" not in unclaimed.banner_text()
    assert claim(unclaimed.client, code, username="eve").status == 409


def test_guessing_is_rate_limited(unclaimed):
    guess = wrong(unclaimed.claim_code())
    statuses = [claim(unclaimed.client, guess).status for _ in range(7)]
    assert statuses[:5] == [403] * 5
    assert statuses[5:] == [429] * 2


def test_rate_limit_holds_for_the_right_code_too(unclaimed):
    for _ in range(6):
        response = claim(unclaimed.client, wrong(unclaimed.claim_code()))
    assert response.status == 429
    assert int(response.header("Retry-After")) > 0
    assert claim(unclaimed.client, unclaimed.claim_code()).status == 429


def test_unclaimed_appliance_answers_nothing_else(unclaimed):
    for path in ("/api/v1/system", "/api/v1/domains", "/api/v1/images", "/api/v1/events", "/metrics"):
        assert unclaimed.client.get(path).status == 401, path


def test_code_survives_a_restart_or_a_new_one_is_shown(unclaimed):
    unclaimed.restart_domusd()
    assert claim(unclaimed.client, unclaimed.claim_code()).status == 201


def test_malformed_claims_are_refused_with_pointers(unclaimed):
    code = unclaimed.claim_code()
    for field, value, rule in (("password", "short", "length"), ("password", "x" * 257, "length"), ("password", 12345678, "type"),
                               ("username", "No Name", "pattern"), ("username", "../x", "pattern"), ("code", "x" * 65, "length"),
                               ("colour", "red", "unknown")):
        response = claim(unclaimed.client, code, **{field: value})
        assert (response.status, response.pointers()) == (422, {f"/{field}": rule})
    assert claim(unclaimed.client, code).status == 201


def test_secrets_are_not_stored_in_the_clear(unclaimed):
    code = unclaimed.claim_code()
    token = claim(unclaimed.client, code).json()["token"]
    unclaimed.stop("domusd")
    unclaimed.stop("keeper")
    for file in unclaimed.state.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            for secret in (CREDENTIALS["password"], token, code):
                assert secret.encode() not in content, f"{file} has {secret}"


def test_private_keys_are_readable_by_the_owner_only(unclaimed):
    keys = [f for f in unclaimed.state.rglob("*") if f.is_file() and b"PRIVATE KEY" in f.read_bytes()]
    assert keys, "no private key below the state directory"
    for key in keys:
        assert key.stat().st_mode & 0o777 == 0o600, key


def test_database_is_of_the_newest_schema_and_sound(unclaimed):
    unclaimed.stop("domusd")
    files = [f for f in unclaimed.state.rglob("*") if f.is_file() and f.read_bytes()[:15] == b"SQLite format 3"]
    assert len(files) == 1
    with sqlite3.connect(files[0]) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_database_of_a_newer_version_is_refused_with_a_sentence(unclaimed):
    unclaimed.stop("domusd")
    file = next(f for f in unclaimed.state.rglob("*") if f.is_file() and f.read_bytes()[:15] == b"SQLite format 3")
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 9999")
    before = len(unclaimed.log("domusd"))
    try:
        unclaimed.start_domusd()
    except AssertionError:
        said = unclaimed.log("domusd")[before - 200:]
        assert "newer" in said, said
        assert unclaimed.domusd.returncode not in (0, None) and unclaimed.domusd.returncode > 0
    else:
        raise AssertionError("domusd started on a database from the future")
