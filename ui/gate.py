"""Who may talk to the app: this machine alone, or whoever brings the token.

Photos of faces are personal data, so everything but the health check stands behind this gate: pages,
photos, media and the WebSocket. Set ``MASKDESK_TOKEN`` to let other machines in by ``/?token=...``.
"""

import hmac
import ipaddress
import os
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse, RedirectResponse

COOKIE = "maskdesk_token"
TOKEN_VARIABLE = "MASKDESK_TOKEN"
_HEALTH = "/_stcore/health"
_LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]", "testserver"}
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"SAMEORIGIN"),
]

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


class AccessGate:
    """ASGI middleware over HTTP and WebSocket."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] not in ("http", "websocket") or scope.get("path") == _HEALTH:
            await self.app(scope, receive, send)
            return
        token = os.environ.get(TOKEN_VARIABLE, "")
        refusal = _refusal(scope, token)
        if refusal and scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4403, "reason": refusal})
        elif refusal:
            await PlainTextResponse(refusal, status_code=403)(scope, receive, send)
        elif token and scope["type"] == "http" and _given_in_url(scope, token):
            response = RedirectResponse(scope["path"] or "/", status_code=303)
            response.set_cookie(COOKIE, token, httponly=True, samesite="strict", path="/")
            await response(scope, receive, send)
        else:
            await self.app(scope, receive, _with_headers(send))


def _refusal(scope: Message, token: str) -> str:
    if token:
        if _given_in_url(scope, token) or _given_in_cookie(scope, token):
            return ""
        return "MaskDesk: open the address with ?token=..., the value of MASKDESK_TOKEN"
    client = (scope.get("client") or ("", 0))[0]
    if client != "testclient" and not _is_loopback(client):
        return f"MaskDesk serves this machine only; set {TOKEN_VARIABLE} to let others in"
    host = _header(scope, b"host").rsplit(":", 1)[0] if not _header(scope, b"host").endswith("]") else "[::1]"
    if host not in _LOCAL_HOSTS:
        return f"MaskDesk is not served under the name {host!r}; use localhost, or set {TOKEN_VARIABLE}"
    return ""


def _is_loopback(client: str) -> bool:
    try:
        return ipaddress.ip_address(client).is_loopback
    except ValueError:
        return False


def _given_in_url(scope: Message, token: str) -> bool:
    given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
    return hmac.compare_digest(given.encode(), token.encode())


def _given_in_cookie(scope: Message, token: str) -> bool:
    try:
        cookie = SimpleCookie(_header(scope, b"cookie")).get(COOKIE)
    except CookieError:
        return False
    return cookie is not None and hmac.compare_digest(cookie.value.encode(), token.encode())


def _header(scope: Message, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _with_headers(send: Any) -> Any:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *_HEADERS]
        await send(message)

    return sending
