"""The gate, the photo route and the start, as another program would meet them."""

import asyncio
import os
import re
import socket
import subprocess
import sys
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
import streamlit
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

import app
from ui import session
from ui.compressed import compressed_static
from ui.gate import CONTENT_POLICY
from ui.serving import lifespan

ROOT = Path(__file__).resolve().parent.parent
BEHIND_THE_GATE = ["/", "/errors", "/media/x.csv", "/_stcore/metrics", "/_stcore/host-config", "/api/photo/256/x"]


def _client(machine="127.0.0.1"):
    return TestClient(app.app, base_url="http://localhost", client=(machine, 50000))


def _is_refused_as_web_socket(client, **headers):
    with pytest.raises(WebSocketDisconnect) as ended, client.websocket_connect("/_stcore/stream", headers=headers):
        pass
    return ended.value.code == 4403


@pytest.fixture
def client(demo_dir, workspace, monkeypatch):
    monkeypatch.setenv("MASKDESK_DATA", str(demo_dir))
    monkeypatch.setenv("MASKDESK_WORKSPACE", str(workspace.root))
    monkeypatch.delenv("MASKDESK_TOKEN", raising=False)
    monkeypatch.delenv("MASKDESK_HOSTS", raising=False)
    return _client()


@pytest.fixture
def photo(client):
    return f"/api/photo/256/{session.current().index.photos.photo_id.iloc[0]}"


def test_a_photo_of_the_index_is_a_jpeg_that_only_this_browser_may_keep(client, photo):
    answer = client.get(photo)
    assert answer.status_code == 200
    assert answer.content[:2] == b"\xff\xd8"
    assert answer.headers["cache-control"] == "private, max-age=86400, immutable"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("photo_id", ["../train.csv", "..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "nobody.jpg"])
def test_an_id_that_is_not_in_the_index_gives_no_file(client, photo_id):
    answer = client.get(f"/api/photo/256/{photo_id}")
    assert not answer.headers.get("content-type", "").startswith("image/")
    assert b"gender" not in answer.content
    assert b"root:" not in answer.content


def test_a_photo_is_made_in_the_listed_sizes_only(client, photo):
    assert client.get(photo.replace("/256/", "/257/")).status_code == 404
    assert client.get(photo.replace("/256/", "/192/")).status_code == 200


@pytest.mark.parametrize("path", BEHIND_THE_GATE)
def test_without_a_token_a_foreign_name_or_machine_is_refused_everywhere(client, path):
    assert client.get(path, headers={"host": "evil.example"}).status_code == 403
    assert client.get(path, headers={"host": "localhost.evil.example:8501"}).status_code == 403
    assert _client("10.1.2.3").get(path).status_code == 403
    assert _client("::ffff:10.1.2.3").get(path).status_code == 403


def test_without_a_token_a_foreign_name_or_machine_opens_no_web_socket(client):
    assert _is_refused_as_web_socket(client, host="evil.example")
    assert _is_refused_as_web_socket(_client("10.1.2.3"))


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:8501", "[::1]:8501", "LOCALHOST"])
def test_this_machine_is_served_under_its_own_names(client, photo, host):
    assert client.get(photo, headers={"host": host}).status_code == 200


def test_with_a_token_only_its_bearer_enters(client, photo, monkeypatch):
    monkeypatch.setenv("MASKDESK_TOKEN", "secret")
    for path in [photo, *BEHIND_THE_GATE]:
        assert client.get(path).status_code == 403
        assert client.get(path, headers={"cookie": "maskdesk_token=guess"}).status_code == 403
    assert _is_refused_as_web_socket(client)
    assert client.get("/?token=wrong").status_code == 403
    assert client.get("/_stcore/health").status_code in (200, 503)
    welcome = client.get("/errors?run=first&token=secret", follow_redirects=False)
    assert (welcome.status_code, welcome.headers["location"]) == (303, "/errors?run=first")
    assert "HttpOnly" in welcome.headers["set-cookie"]
    assert "samesite=strict" in welcome.headers["set-cookie"].lower()
    assert client.get(photo).status_code == 200


def test_the_way_in_by_token_never_leads_to_another_host(client, monkeypatch):
    monkeypatch.setenv("MASKDESK_TOKEN", "secret")
    for path in ("//evil.example", "/\\evil.example"):
        answer = client.get(f"http://localhost{path}?token=secret", follow_redirects=False)
        assert answer.headers["location"] == "/evil.example"


def test_with_a_list_of_hosts_other_names_are_refused_even_with_the_token(client, photo, monkeypatch):
    monkeypatch.setenv("MASKDESK_TOKEN", "secret")
    monkeypatch.setenv("MASKDESK_HOSTS", "desk.example, 10.0.0.5")
    cookie = {"cookie": "maskdesk_token=secret"}
    assert client.get(photo, headers={"host": "evil.example", **cookie}).status_code == 403
    assert client.get(photo, headers={"host": "desk.example:8501", **cookie}).status_code == 200


def test_every_answer_carries_the_content_policy(client, photo):
    for path in (photo, "/api/photo/256/nobody.jpg"):
        assert client.get(path).headers["content-security-policy"] == CONTENT_POLICY
    assert "*" not in CONTENT_POLICY
    assert "unsafe-eval" not in CONTENT_POLICY.replace("wasm-unsafe-eval", "")


def test_the_policy_allows_the_one_inline_script_of_streamlit_by_its_hash():
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 1
    assert f"'sha256-{b64encode(sha256(scripts[0].encode()).digest()).decode()}'" in CONTENT_POLICY


def test_connections_of_a_started_server_answer_without_delay():
    async def start():
        async with lifespan(app.app):
            pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        asyncio.run(start())
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    "command",
    [
        ["streamlit", "run", "app.py", "--server.port=0", "--server.address=0.0.0.0"],
        ["uvicorn", "app:app", "--port=0", "--host=0.0.0.0"],
    ],
    ids=["streamlit", "uvicorn"],
)
def test_an_open_address_without_a_token_is_refused_in_one_line(command):
    environment = {name: value for name, value in os.environ.items() if name != "MASKDESK_TOKEN"}
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("MaskDesk would listen on 0.0.0.0")
    assert "MASKDESK_TOKEN" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("address", "token", "is_allowed"),
    [("127.0.0.1", "", True), ("::1", "", True), ("", "", False), ("10.0.0.5", "", False), ("10.0.0.5", "s", True)],
)
def test_only_a_local_address_or_a_token_lets_the_server_start(address, token, is_allowed, monkeypatch):
    from ui import serving

    monkeypatch.setenv("MASKDESK_TOKEN", token)
    monkeypatch.setattr(serving.st, "get_option", {"server.address": address}.get)
    if is_allowed:
        serving.refuse_open_address()
    else:
        with pytest.raises(SystemExit, match="MASKDESK_TOKEN"):
            serving.refuse_open_address()


def test_scripts_come_compressed_and_unchanged_to_browsers_that_take_it(client):
    folder = Path(streamlit.__file__).parent / "static"
    script = next((folder / "static" / "js").glob("index.*.js"))
    path = f"/{script.relative_to(folder).as_posix()}"
    answer = client.get(path, headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < script.stat().st_size / 2
    assert answer.content == script.read_bytes()
    assert "content-encoding" not in client.get(path, headers={"accept-encoding": "identity"}).headers


@pytest.mark.parametrize("name", ["../index.html", "../../__init__.py", "/etc/passwd", "js/none.js", "js", ""])
def test_only_scripts_of_streamlits_own_folder_are_compressed(name):
    assert compressed_static(name) is None
