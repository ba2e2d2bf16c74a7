"""tus 1.0.0: uploads that go on where they were cut, and images that are what they promised."""
import hashlib
import itertools
import random
import shutil
import ssl

import pytest

from domus import hostagent
from domus.client import checksum, metadata
from domus.images import arm64_image
from domus.processes import open_files, wait_until
from domus.streams import RawTls


def digest(data):
    return hashlib.sha256(data).hexdigest()


def begin(api, data, name="disk", kind="disk", sha256="right"):
    response = api.begin_upload(name, kind, len(data), digest(data) if sha256 == "right" else sha256)
    assert response.status == 201, response
    return response.json()["id"]


def images_with(api, sha256):
    return [i for i in api.every("/api/v1/images") if i["sha256"] == sha256]


def files(place):
    return sum(1 for f in place.state.rglob("*") if f.is_file())


@pytest.fixture
def data(request):
    """Bytes of this test's own, not the same in any other test."""
    return random.Random(request.node.nodeid).randbytes(300_000)


def test_options_say_what_tus_can_do(api):
    assert api.request("OPTIONS", "/api/v1/uploads", auth=False).status == 204


def test_upload_in_one_piece_becomes_an_image(api, data):
    image = api.get(f"/api/v1/images/{api.upload('whole', 'disk', data)}").json()
    assert (image["name"], image["kind"], image["size"], image["sha256"]) == ("whole", "disk", len(data), digest(data))
    assert image["used_by"] == []


def test_upload_without_a_promised_digest_has_one_in_the_end(api, data):
    upload = begin(api, data, sha256=None)
    assert api.append(upload, 0, data).status == 204
    image = api.get(f"/api/v1/uploads/{upload}").json()["image"]
    assert api.get(f"/api/v1/images/{image}").json()["sha256"] == digest(data)


def test_upload_says_how_far_it_is(api, data):
    upload = begin(api, data)
    assert api.offset(upload) == 0
    assert api.append(upload, 0, data[:1000]).header("Upload-Offset") == "1000"
    assert api.offset(upload) == 1000
    body = api.get(f"/api/v1/uploads/{upload}").json()
    assert (body["offset"], body["length"], body["image"]) == (1000, len(data), None)


def test_unfinished_upload_is_no_image(api, data):
    upload = begin(api, data)
    api.append(upload, 0, data[:-1])
    assert images_with(api, digest(data)) == []
    assert api.append(upload, len(data) - 1, data[-1:]).status == 204
    assert len(images_with(api, digest(data))) == 1


def test_empty_file_can_be_uploaded(api):
    image = api.get(f"/api/v1/images/{api.upload('empty', 'disk', b'')}").json()
    assert (image["size"], image["sha256"]) == (0, digest(b""))


def test_wrong_offset_is_409_and_changes_nothing(api, data):
    upload = begin(api, data)
    api.append(upload, 0, data[:1000])
    for offset in (0, 999, 1001, len(data), 10**14):
        response = api.append(upload, offset, b"x")
        assert (response.status, response.code) == (409, "upload.wrong_offset"), offset
    assert api.offset(upload) == 1000
    assert api.append(upload, 1000, data[1000:]).status == 204


def test_more_than_promised_is_refused(api, data):
    upload = begin(api, data)
    response = api.append(upload, 0, data + b"more")
    assert response.status in (413, 409, 400), response
    offset = api.offset(upload)
    assert api.append(upload, offset, data[offset:]).status == 204


def cut(api, upload, offset, data, sent):
    """A PATCH that promises data and breaks off after `sent` bytes of it."""
    head = (f"PATCH /api/v1/uploads/{upload} HTTP/1.1\r\nHost: domus\r\nAuthorization: Bearer {api.token}\r\n"
            f"Tus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\nContent-Type: application/offset+octet-stream\r\n"
            f"Content-Length: {len(data)}\r\n\r\n").encode()
    tls = api.connect()
    tls.sendall(head + data[:sent])
    try:
        tls.unwrap().close()
    except (OSError, ssl.SSLError):
        tls.close()


def unlocked_offset(api, upload):
    """The offset once the server has noticed that the writer is gone."""
    def probe():
        offset = api.offset(upload)
        response = api.append(upload, offset, b"")
        return response.status != 423 and (offset,)
    return wait_until(probe, "the lock of a broken upload to end", 60)[0]


@pytest.mark.parametrize("seed", range(12))
def test_upload_cut_at_any_byte_goes_on(api, seed):
    rng = random.Random(seed)
    data = rng.randbytes(rng.randrange(1, 400_000))
    upload, offset, cuts = begin(api, data), 0, 0
    while offset < len(data):
        left = len(data) - offset
        if cuts == 6:
            response = api.append(upload, offset, data[offset:])
            assert response.status == 204, response
            offset = int(response.header("Upload-Offset"))
            continue
        sent = rng.choice([0, 1, rng.randrange(left + 1), left - 1])
        cut(api, upload, offset, data[offset:], max(0, sent))
        cuts += 1
        now = unlocked_offset(api, upload)
        assert offset <= now <= offset + max(0, sent)
        offset = now
    image = api.get(f"/api/v1/uploads/{upload}").json()["image"]
    assert api.get(f"/api/v1/images/{image}").json()["sha256"] == digest(data)


@pytest.mark.parametrize("rest", [0, 3, 4000])
def test_upload_cut_inside_a_tls_record_frees_its_lock_at_once(api, rest):
    data = random.Random(rest).randbytes(300_000)
    upload = begin(api, data)
    head = (f"PATCH /api/v1/uploads/{upload} HTTP/1.1\r\nHost: domus\r\nAuthorization: Bearer {api.token}\r\n"
            "Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n"
            f"Content-Length: {len(data)}\r\n\r\n").encode()
    with RawTls(api) as writer:
        writer.send(head + data[:1000])
        wait_until(lambda: api.append(upload, 0, b"").status == 423, "the upload to be locked")
        # the next record begins, comes at once with the end of the connection, and never ends
        writer.cut(data[1000:16000], rest)
    # the lock of a silent writer ends after 10 s by itself
    wait_until(lambda: api.append(upload, api.offset(upload), b"").status != 423, "the lock of a writer that is gone to end", 5)


def test_cut_upload_keeps_what_arrived(api, data):
    upload = begin(api, data)
    cut(api, upload, 0, data, 200_000)
    wait_until(lambda: api.offset(upload) == 200_000, "the bytes that were sent before the cut", 60)


def test_upload_goes_on_after_domusd_was_killed(fresh, data):
    upload = begin(fresh.client, data)
    fresh.client.append(upload, 0, data[:123_457])
    fresh.restart_domusd(kill=True)
    assert fresh.client.offset(upload) == 123_457
    assert fresh.client.append(upload, 123_457, data[123_457:]).status == 204
    assert len(images_with(fresh.client, digest(data))) == 1


def test_upload_killed_in_the_middle_of_a_patch_goes_on(fresh):
    data = random.Random("killed").randbytes(8 << 20)
    upload = begin(fresh.client, data)

    def slowly():
        yield data[:3 << 20]
        fresh.kill("domusd")
        yield data[3 << 20:]
    with pytest.raises((OSError, ssl.SSLError, AssertionError)):
        fresh.client.request("PATCH", f"/api/v1/uploads/{upload}", body=slowly(), headers={
            "Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Length": str(len(data)),
            "Content-Type": "application/offset+octet-stream"})
    fresh.start_domusd()
    offset = fresh.client.offset(upload)
    assert offset <= len(data)
    assert fresh.client.append(upload, offset, data[offset:]).status == 204
    assert len(images_with(fresh.client, digest(data))) == 1


def test_wrong_sha256_refuses_and_removes_the_image(agent, api, data):
    before = files(agent)
    upload = begin(api, data, sha256=digest(b"something else"))
    response = api.append(upload, 0, data)
    assert (response.status, response.code) == (422, "upload.wrong_sha256")
    assert api.get(f"/api/v1/uploads/{upload}").status == 404
    assert images_with(api, digest(data)) == []
    assert files(agent) == before


def test_chunk_with_a_right_checksum_counts(api, data):
    upload = begin(api, data)
    assert api.append(upload, 0, data, {"Upload-Checksum": checksum(data)}).status == 204


def test_chunk_with_a_wrong_checksum_is_460_and_does_not_count(api, data):
    upload = begin(api, data)
    assert api.append(upload, 0, data[:5000], {"Upload-Checksum": checksum(data[:5000])}).status == 204
    response = api.append(upload, 5000, data[5000:], {"Upload-Checksum": checksum(b"other")})
    assert (response.status, response.code) == (460, "upload.wrong_checksum")
    assert api.offset(upload) == 5000
    assert api.append(upload, 5000, data[5000:], {"Upload-Checksum": checksum(data[5000:])}).status == 204
    assert len(images_with(api, digest(data))) == 1


def test_chunk_with_a_checksum_that_is_cut_does_not_count(api, data):
    upload = begin(api, data)
    head = (f"PATCH /api/v1/uploads/{upload} HTTP/1.1\r\nHost: domus\r\nAuthorization: Bearer {api.token}\r\nTus-Resumable: 1.0.0\r\n"
            f"Upload-Offset: 0\r\nUpload-Checksum: {checksum(data)}\r\nContent-Type: application/offset+octet-stream\r\n"
            f"Content-Length: {len(data)}\r\n\r\n").encode()
    with api.connect() as tls:
        tls.sendall(head + data[:100_000])
    assert unlocked_offset(api, upload) == 0
    assert api.append(upload, 0, data).status == 204


@pytest.mark.parametrize("value", ["md5 1B2M2Y8AsgTpgAmY7PhCfg==", "sha256", "sha256 !!!!", "sha256 AAAA", "", "sha256 " + "A" * 100])
def test_checksum_that_cannot_be_used_is_400(api, data, value):
    upload = begin(api, data)
    response = api.append(upload, 0, data, {"Upload-Checksum": value})
    assert response.status == 400, response
    assert api.offset(upload) == 0


@pytest.mark.parametrize("value", ["-1", "", "x", "1.5", "99999999999999999999", "+5", "0x10"])
def test_offset_that_is_no_number_is_400(api, data, value):
    upload = begin(api, data)
    response = api.append(upload, 0, b"x", {"Upload-Offset": value})
    assert (response.status, response.code) == (400, "header.invalid")


@pytest.mark.parametrize("value", ["-1", "", "x", "1.5", "+5", "99999999999999999999999"])
def test_length_that_is_no_number_is_400(api, value):
    response = api.begin_upload("x", "disk", 0, headers={"Upload-Length": value})
    assert response.status == 400, response


def test_length_is_required(api):
    response = api.post("/api/v1/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Metadata": metadata(name="x", kind="disk")})
    assert (response.status, response.code) == (400, "header.invalid")


def test_length_over_the_maximum_is_413(api):
    most = int(api.request("OPTIONS", "/api/v1/uploads").header("Tus-Max-Size"))
    response = api.begin_upload("x", "disk", most + 1)
    assert (response.status, response.code) == (413, "upload.too_large")


def test_length_over_the_free_space_is_507(api):
    most = int(api.request("OPTIONS", "/api/v1/uploads").header("Tus-Max-Size"))
    free = api.get("/api/v1/system").json()["storage"]["free"]
    if free > most:
        pytest.fail("this machine has more room than an upload may have; the case needs a smaller state directory")
    response = api.begin_upload("x", "disk", min(most, free + (1 << 30)))
    assert (response.status, response.code) == (507, "storage.full")


@pytest.mark.parametrize("pairs,pointer,code", [
    ({"kind": "disk"}, "/metadata/name", "required"),
    ({"name": "x"}, "/metadata/kind", "required"),
    ({"name": "x", "kind": "poem"}, "/metadata/kind", "enum"),
    ({"name": "../x", "kind": "disk"}, "/metadata/name", "pattern"),
    ({"name": "/etc/passwd", "kind": "disk"}, "/metadata/name", "pattern"),
    ({"name": "..", "kind": "disk"}, "/metadata/name", "pattern"),
    ({"name": "a\0b", "kind": "disk"}, "/metadata/name", "pattern"),
    ({"name": "a\nb", "kind": "disk"}, "/metadata/name", "pattern"),
    ({"name": "<script>", "kind": "disk"}, "/metadata/name", "pattern"),
    ({"name": "", "kind": "disk"}, "/metadata/name", "pattern"),
    ({"name": "a" * 129, "kind": "disk"}, "/metadata/name", "pattern"),
    ({"name": "x", "kind": "disk", "sha256": "abc"}, "/metadata/sha256", "pattern"),
    ({"name": "x", "kind": "disk", "sha256": "A" * 64}, "/metadata/sha256", "pattern"),
    ({"name": "x", "kind": "disk", "sha256": "../" * 21 + "x"}, "/metadata/sha256", "pattern"),
    ({"name": "x", "kind": "disk", "owner": "me"}, "/metadata/owner", "unknown"),
])
def test_wrong_metadata_is_422_with_a_pointer(api, pairs, pointer, code):
    response = api.post("/api/v1/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "1", "Upload-Metadata": metadata(**pairs)})
    assert response.status == 422 and response.pointers() == {pointer: code}


@pytest.mark.parametrize("value", ["name", "name !!!,kind ZGlzaw==", "name eA==,name eA==,kind ZGlzaw==", ",,,", "name eA==;kind ZGlzaw==",
                                   "name //79,kind ZGlzaw=="])
def test_metadata_that_does_not_decode_is_400(api, value):
    response = api.post("/api/v1/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "1", "Upload-Metadata": value})
    assert (response.status, response.code) == (400, "upload.metadata_invalid")


def test_other_tus_versions_are_412(api, data):
    upload = begin(api, data)
    for headers in ({}, {"Tus-Resumable": "0.2.2"}, {"Tus-Resumable": "2.0.0"}):
        for method, path in (("POST", "/api/v1/uploads"), ("HEAD", f"/api/v1/uploads/{upload}"), ("DELETE", f"/api/v1/uploads/{upload}"),
                             ("PATCH", f"/api/v1/uploads/{upload}")):
            assert api.request(method, path, headers=headers).status == 412, (method, headers)


def test_patch_of_another_media_type_is_415(api, data):
    upload = begin(api, data)
    assert api.append(upload, 0, data, {"Content-Type": "application/octet-stream"}).status == 415


def test_unknown_upload_is_404(api):
    for method in ("GET", "HEAD", "PATCH", "DELETE"):
        response = api.request(method, "/api/v1/uploads/nothing", body=b"" if method == "PATCH" else None, headers={
            "Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"})
        assert response.status == 404, method


def test_termination_frees_the_space(agent, api, data):
    before = files(agent)
    upload = begin(api, data)
    api.append(upload, 0, data[:1000])
    response = api.request("DELETE", f"/api/v1/uploads/{upload}", headers={"Tus-Resumable": "1.0.0"})
    assert response.status == 204
    assert api.get(f"/api/v1/uploads/{upload}").status == 404
    assert files(agent) == before


def test_termination_of_a_finished_upload_keeps_the_image(api, data):
    upload = begin(api, data)
    api.append(upload, 0, data)
    image = api.get(f"/api/v1/uploads/{upload}").json()["image"]
    assert api.request("DELETE", f"/api/v1/uploads/{upload}", headers={"Tus-Resumable": "1.0.0"}).status == 204
    assert api.get(f"/api/v1/images/{image}").status == 200


def test_finished_upload_takes_no_more(api, data):
    upload = begin(api, data)
    api.append(upload, 0, data)
    assert api.append(upload, 0, data).status == 409
    assert api.append(upload, len(data), b"x").status in (409, 413)


def test_second_writer_is_423(api, data):
    upload = begin(api, data)
    other = []

    def with_an_interruption():
        yield data[:1000]
        wait_until(lambda: api.get(f"/api/v1/uploads/{upload}").status == 200, "domusd to answer meanwhile")
        other.append(api.append(upload, api.offset(upload), data[:10]))
        yield data[1000:]
    response = api.append(upload, 0, with_an_interruption(), {"Content-Length": str(len(data))})
    assert response.status == 204, response
    assert (other[0].status, other[0].code) == (423, "upload.locked")


def test_same_content_twice_is_two_images_or_one_but_both_names_work(api, data):
    first, second = api.upload("one", "disk", data), api.upload("two", "disk", data)
    assert {api.get(f"/api/v1/images/{i}").json()["sha256"] for i in (first, second)} == {digest(data)}
    assert api.delete(f"/api/v1/images/{first}").status == 204
    if second != first:
        assert api.get(f"/api/v1/images/{second}").status == 200
        assert api.post("/api/v1/volumes", {"name": "from-second", "image": second}).status == 202


def test_same_idempotency_key_begins_one_upload(api, data):
    headers = {"Idempotency-Key": "upload-once"}
    first = api.begin_upload("once", "disk", len(data), headers=headers)
    second = api.begin_upload("once", "disk", len(data), headers=headers)
    assert (second.status, second.header("Location")) == (201, first.header("Location"))
    assert api.begin_upload("other", "disk", len(data), headers=headers).status == 422


def test_uploads_leave_no_descriptor_behind(agent, api, data):
    for _ in range(3):
        api.upload("warm", "disk", data)
    before = open_files(agent.domusd.pid)
    for i in range(20):
        upload = begin(api, data + bytes([i]), name="leak")
        cut(api, upload, 0, data, 1000)
        unlocked_offset(api, upload)
        api.request("DELETE", f"/api/v1/uploads/{upload}", headers={"Tus-Resumable": "1.0.0"})
    wait_until(lambda: open_files(agent.domusd.pid) <= before + 2, "the descriptors of broken uploads to be closed", 60)


def test_kernel_image_of_any_content_is_taken_as_an_upload(api):
    assert api.upload("not really", "kernel", b"#!/bin/sh\n" * 100)
    assert api.upload("really", "kernel", arm64_image())


# A disk that gets full

SMALL = 48 << 20


@pytest.fixture
def small():
    """A claimed agent whose state is on a file system of 48 MiB."""
    if not hostagent.tmpfs_possible():
        pytest.fail("mounting a tmpfs in a namespace of one's own is not allowed here: see unshare(1)")
    place = hostagent.HostAgent()
    try:
        place.prefix = hostagent.tmpfs_prefix(place.state, SMALL)
        place.start()
        place.client.claim(place.claim_code())
        yield place
    finally:
        place.close()


class Filler:
    """A file that takes all the room below the state directory that domusd sees."""

    def __init__(self, place):
        self.file = f"/proc/{place.domusd.pid}/root{place.state}/filler"

    def fill(self):
        with open(self.file, "wb", buffering=0) as f:
            for step in (1 << 16, 4096, 512):
                try:
                    for _ in itertools.count():
                        f.write(b"\xff" * step)
                except OSError:
                    pass

    def remove(self):
        shutil.os.unlink(self.file)


def test_full_disk_is_507_and_the_upload_goes_on_when_there_is_room(small):
    api, data = small.client, random.Random("full").randbytes(24 << 20)
    upload = begin(api, data)
    assert api.append(upload, 0, data[:4 << 20]).status == 204
    filler = Filler(small)
    filler.fill()
    response = api.append(upload, 4 << 20, data[4 << 20:])
    assert (response.status, response.code) == (507, "storage.full")
    assert api.get("/healthz").status == 200
    assert api.get("/api/v1/images").status == 200
    offset = api.offset(upload)
    assert 4 << 20 <= offset < len(data)
    filler.remove()
    assert api.append(upload, offset, data[offset:]).status == 204
    assert len(images_with(api, digest(data))) == 1


def test_full_disk_refuses_changes_and_loses_none(small):
    api = small.client
    kernel = api.upload("kernel", "kernel", arm64_image())
    filler = Filler(small)
    filler.fill()
    kept = []
    for i in range(200):
        response = api.post("/api/v1/domains", {"name": f"d{i}", "memory_mib": 64, "boot": {"kernel": kernel}, "description": "x" * 1000})
        if response.status != 201:
            assert (response.status, response.code) in ((507, "storage.full"), (503, "storage.full")), response
            break
        kept.append(f"d{i}")
    filler.remove()
    assert [d["name"] for d in api.every("/api/v1/domains")] == sorted(kept)
    assert api.post("/api/v1/domains", {"name": "after", "memory_mib": 64, "boot": {"kernel": kernel}}).status == 201


def test_more_than_the_free_space_is_refused_at_the_beginning(small):
    response = small.client.begin_upload("big", "disk", SMALL + 1)
    assert (response.status, response.code) == (507, "storage.full")


def test_many_small_images_are_no_limit_but_many_unfinished_uploads_are(fresh):
    api = fresh.client
    first = api.begin_upload("first", "boot", 1).json()["id"]
    assert api.append(first, 0, b"x").status == 204
    image = api.get(f"/api/v1/uploads/{first}").json()["image"]
    for number in range(140):
        assert api.upload(f"image-{number}", "boot", b"x")
    assert api.get(f"/api/v1/uploads/{first}").status == 404  # the oldest finished ones are forgotten
    assert api.get(f"/api/v1/images/{image}").status == 200  # what they made stays
    for number in range(128):
        assert api.begin_upload(f"open-{number}", "boot", 1).status == 201
    response = api.begin_upload("too-many", "boot", 1)
    assert (response.status, response.code) == (429, "rate.limited")
    fresh.restart_domusd(kill=True)
    assert api.begin_upload("still-too-many", "boot", 1).status == 429
