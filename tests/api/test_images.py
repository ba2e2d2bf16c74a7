"""Images and volumes: lists, revisions, who uses them, deletion."""
import pytest

from domus.images import arm64_image, definition


def volume(api, name, size=1 << 20):
    response = api.post("/api/v1/volumes", {"name": name, "size": size})
    assert response.status == 201, response
    return response.json()["id"]


def test_image_has_an_etag_and_answers_304(api, kernel):
    etag = api.get(f"/api/v1/images/{kernel}").header("ETag")
    assert api.get(f"/api/v1/images/{kernel}", headers={"If-None-Match": etag}).status == 304
    assert api.get(f"/api/v1/images/{kernel}", headers={"If-None-Match": '"r999"'}).status == 200
    assert api.get(f"/api/v1/images/{kernel}", headers={"If-None-Match": f'"r999", {etag}'}).status == 304
    assert api.get(f"/api/v1/images/{kernel}", headers={"If-None-Match": "*"}).status == 304
    assert api.get(f"/api/v1/images/{kernel}", headers={"If-None-Match": "W/" + etag}).status == 304


def test_unknown_image_is_404(api):
    for method in ("GET", "DELETE"):
        response = api.request(method, "/api/v1/images/nothing", headers={"If-Match": "*"})
        assert (response.status, response.code) == (404, "image.unknown")


def test_delete_needs_if_match(api):
    image = api.upload("x", "disk", b"delete me")
    response = api.delete(f"/api/v1/images/{image}", headers={})
    assert (response.status, response.code) == (428, "revision.missing")
    response = api.delete(f"/api/v1/images/{image}", headers={"If-Match": '"r999"'})
    assert (response.status, response.code) == (412, "revision.stale")
    etag = api.get(f"/api/v1/images/{image}").header("ETag")
    assert api.delete(f"/api/v1/images/{image}", headers={"If-Match": etag}).status == 204
    assert api.get(f"/api/v1/images/{image}").status == 404


@pytest.mark.parametrize("value", ["r1", '"r1', "'r1'", '"x"', "", '"r"', '"r1" "r2"', '"r-1"'])
def test_if_match_of_the_wrong_form_never_matches(api, kernel, value):
    response = api.delete(f"/api/v1/images/{kernel}", headers={"If-Match": value})
    assert response.status in (400, 412), response
    assert api.get(f"/api/v1/images/{kernel}").status == 200


def test_weak_etag_does_not_match_for_a_change(api, kernel):
    etag = api.get(f"/api/v1/images/{kernel}").header("ETag")
    assert api.delete(f"/api/v1/images/{kernel}", headers={"If-Match": "W/" + etag}).status in (400, 412)


def test_image_in_use_is_409_and_names_the_user(api, domain, kernel):
    assert domain in api.get(f"/api/v1/images/{kernel}").json()["used_by"]
    response = api.delete(f"/api/v1/images/{kernel}")
    assert (response.status, response.code) == (409, "image.in_use")
    assert domain in response.json()["detail"]


def test_image_is_free_after_its_domain_is_deleted(api):
    image = api.upload("own", "kernel", arm64_image(8192))
    api.post("/api/v1/domains", definition("user-of-own", image))
    assert api.get(f"/api/v1/images/{image}").json()["used_by"] == ["user-of-own"]
    assert api.delete("/api/v1/domains/user-of-own").status == 204
    assert api.delete(f"/api/v1/images/{image}").status == 204


def test_empty_volume_is_made(api):
    response = api.post("/api/v1/volumes", {"name": "empty", "size": 4 << 20})
    assert response.status == 201
    body = response.json()
    assert (body["name"], body["size"], body["image"], body["used_by"]) == ("empty", 4 << 20, None, [])
    assert response.header("Location") == f"/api/v1/volumes/{body['id']}"
    assert response.header("ETag") == api.get(response.header("Location")).header("ETag")
    assert api.delete(response.header("Location")).status == 204
    assert api.get(response.header("Location")).status == 404


def test_volume_from_an_image_is_an_operation(api):
    content = bytes(range(256)) * 8192
    image = api.upload("source", "disk", content)
    operation = api.finished(api.post("/api/v1/volumes", {"name": "copy", "image": image}))
    assert operation["state"] == "succeeded", operation
    made = api.get(f"/api/v1/volumes/{operation['result']['volume']}").json()
    assert (made["name"], made["size"], made["image"]) == ("copy", len(content), image)
    assert operation["target"] == f"volumes/{made['id']}"
    api.delete(f"/api/v1/volumes/{made['id']}")


def test_volume_may_be_larger_than_its_image(api):
    image = api.upload("small", "disk", b"x" * 512)
    operation = api.finished(api.post("/api/v1/volumes", {"name": "grown", "image": image, "size": 8 << 20}))
    assert api.get(f"/api/v1/volumes/{operation['result']['volume']}").json()["size"] == 8 << 20
    api.delete(f"/api/v1/volumes/{operation['result']['volume']}")


def test_volume_copies_the_bytes(agent, api):
    content = b"a volume's own bytes, nowhere else" * 30000
    image = api.upload("bytes", "disk", content)
    operation = api.finished(api.post("/api/v1/volumes", {"name": "bytes", "image": image}))
    made = operation["result"]["volume"]
    file = next(f for f in agent.state.rglob(f"*{made}*") if f.is_file())
    assert file.read_bytes()[:len(content)] == content
    assert file.stat().st_size % 512 == 0
    api.delete(f"/api/v1/volumes/{made}")
    assert not file.exists()


@pytest.mark.parametrize("body,pointers", [
    ({"size": 1 << 20}, {"/name": "required"}),
    ({"name": "../x", "size": 1 << 20}, {"/name": "pattern"}),
    ({"name": "X", "size": 1 << 20}, {"/name": "pattern"}),
    ({"name": "a" * 41, "size": 1 << 20}, {"/name": "pattern"}),
    ({"name": 5, "size": 1 << 20}, {"/name": "type"}),
    ({"name": "x"}, {"/size": "required"}),
    ({"name": "x", "size": 0}, {"/size": "range"}),
    ({"name": "x", "size": -1}, {"/size": "range"}),
    ({"name": "x", "size": (1 << 20) + 1}, {"/size": "range"}),
    ({"name": "x", "size": (1 << 40) + 512}, {"/size": "range"}),
    ({"name": "x", "size": "1 GiB"}, {"/size": "type"}),
    ({"name": "x", "size": 1.5e6}, {"/size": "type"}),
    ({"name": "x", "size": True}, {"/size": "type"}),
    ({"name": "x", "size": None}, {"/size": "type"}),
    ({"name": "x", "image": "nothing"}, {"/image": "not_found"}),
    ({"name": "x", "image": "../../etc/passwd"}, {"/image": "pattern"}),
    ({"name": "x", "size": 1 << 20, "colour": "red"}, {"/colour": "unknown"}),
    ({"name": "x", "size": 1 << 20, "a/b~c": 1}, {"/a~1b~0c": "unknown"}),
])
def test_wrong_volume_is_422_with_pointers(api, body, pointers):
    response = api.post("/api/v1/volumes", body)
    assert (response.status, response.pointers()) == (422, pointers)


def test_volume_smaller_than_its_image_is_refused(api):
    image = api.upload("two-mib", "disk", b"\0" * (2 << 20))
    response = api.post("/api/v1/volumes", {"name": "x", "image": image, "size": 1 << 20})
    assert (response.status, response.pointers()) == (422, {"/size": "range"})


def test_volume_of_a_kernel_is_refused(api, kernel):
    response = api.post("/api/v1/volumes", {"name": "x", "image": kernel})
    assert (response.status, response.pointers()) == (422, {"/image": "kind"})


def test_volume_name_twice_is_409(api):
    made = volume(api, "twice")
    response = api.post("/api/v1/volumes", {"name": "twice", "size": 1 << 20})
    assert (response.status, response.code) == (409, "volume.exists")
    api.delete(f"/api/v1/volumes/{made}")


def test_volume_in_use_is_409_and_names_the_user(api, kernel):
    made = volume(api, "used")
    disks = [{"name": "xvda", "source": {"volume": made}}]
    assert api.post("/api/v1/domains", definition("disk-user", kernel, disks=disks)).status == 201
    assert api.get(f"/api/v1/volumes/{made}").json()["used_by"] == ["disk-user"]
    response = api.delete(f"/api/v1/volumes/{made}")
    assert (response.status, response.code) == (409, "volume.in_use")
    assert "disk-user" in response.json()["detail"]
    api.delete("/api/v1/domains/disk-user")
    assert api.delete(f"/api/v1/volumes/{made}").status == 204


def test_volume_delete_needs_if_match(api):
    made = volume(api, "matched")
    assert api.delete(f"/api/v1/volumes/{made}", headers={}).status == 428
    assert api.delete(f"/api/v1/volumes/{made}", headers={"If-Match": '"r77"'}).status == 412
    assert api.delete(f"/api/v1/volumes/{made}").status == 204


def test_volume_over_the_free_space_is_507_or_sparse(api):
    response = api.post("/api/v1/volumes", {"name": "huge", "size": 1 << 40})
    assert response.status in (201, 507)
    if response.status == 201:
        api.delete(response.header("Location"))


def test_list_goes_page_by_page_without_gaps(api):
    made = {volume(api, f"page-{i:02}") for i in range(23)}
    for limit in (1, 7, 23, 200):
        listed = [v["id"] for v in api.every("/api/v1/volumes", limit)]
        assert len(listed) == len(set(listed))
        assert made <= set(listed)
    for one in made:
        api.delete(f"/api/v1/volumes/{one}")


def test_page_after_a_deletion_skips_nothing(api):
    made = [volume(api, f"gap-{i:02}") for i in range(9)]
    first = api.get("/api/v1/volumes?limit=4")
    ids = [v["id"] for v in first.json()["items"]]
    for one in ids:
        api.delete(f"/api/v1/volumes/{one}")
    link = first.header("Link")
    rest = [v["id"] for v in api.get(link[1:link.index(">")].replace("limit=4", "limit=200")).json()["items"]]
    assert set(made) - set(ids) <= set(rest)
    for one in rest:
        api.delete(f"/api/v1/volumes/{one}")


def test_networks_list_lan0(api):
    assert [n["id"] for n in api.every("/api/v1/networks")] == ["lan0"]
    lan0 = api.get("/api/v1/networks/lan0")
    assert lan0.json()["dhcp"] is True
    assert api.get("/api/v1/networks/lan0", headers={"If-None-Match": lan0.header("ETag")}).status == 304
    assert api.get("/api/v1/networks/lan1").code == "network.unknown"
