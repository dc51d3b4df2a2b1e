"""The gate and the photo route, as another program would meet them."""

import pytest
from starlette.testclient import TestClient

import app
from ui import session


@pytest.fixture
def client(demo_dir, workspace, monkeypatch):
    monkeypatch.setenv("MASKDESK_DATA", str(demo_dir))
    monkeypatch.setenv("MASKDESK_WORKSPACE", str(workspace.root))
    monkeypatch.delenv("MASKDESK_TOKEN", raising=False)
    return TestClient(app.app, base_url="http://localhost")


def test_a_photo_of_the_index_is_a_jpeg_that_only_this_browser_may_keep(client):
    photo_id = session.current().index.photos.photo_id.iloc[0]
    answer = client.get(f"/api/photo/256/{photo_id}")
    assert answer.status_code == 200
    assert answer.content[:2] == b"\xff\xd8"
    assert answer.headers["cache-control"].startswith("private")
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("photo_id", ["../train.csv", "..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "nobody.jpg"])
def test_an_id_that_is_not_in_the_index_gives_no_file(client, photo_id):
    answer = client.get(f"/api/photo/256/{photo_id}")
    assert not answer.headers.get("content-type", "").startswith("image/")
    assert b"gender" not in answer.content
    assert b"root:" not in answer.content


def test_without_a_token_a_foreign_host_name_or_machine_is_refused(client):
    assert client.get("/", headers={"host": "evil.example"}).status_code == 403
    far = TestClient(app.app, base_url="http://localhost", client=("10.1.2.3", 50000))
    assert far.get("/").status_code == 403
    assert far.get("/_stcore/health").status_code in (200, 503)


def test_with_a_token_only_its_bearer_enters(client, monkeypatch):
    monkeypatch.setenv("MASKDESK_TOKEN", "secret")
    photo_id = session.current().index.photos.photo_id.iloc[0]
    assert client.get(f"/api/photo/256/{photo_id}").status_code == 403
    assert client.get("/?token=wrong").status_code == 403
    welcome = client.get("/?token=secret", follow_redirects=False)
    assert welcome.status_code == 303
    assert "HttpOnly" in welcome.headers["set-cookie"]
    assert "samesite=strict" in welcome.headers["set-cookie"].lower()
    assert client.get(f"/api/photo/256/{photo_id}").status_code == 200
