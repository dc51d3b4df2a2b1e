"""Who may talk to the app: this machine alone, or whoever brings the token.

Photos of faces are personal data, so everything but the health check stands behind this gate: pages,
photos, media and the WebSocket. Set ``MASKDESK_TOKEN`` to let other machines in by ``/?token=...``, and
``MASKDESK_HOSTS`` (names, with commas between) to answer under those names alone.
"""

import hmac
import ipaddress
import os
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from starlette.responses import PlainTextResponse, RedirectResponse

COOKIE = "maskdesk_token"
TOKEN_VARIABLE = "MASKDESK_TOKEN"
HOSTS_VARIABLE = "MASKDESK_HOSTS"

CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        # Streamlit's own inline script (its hash), modules that components load from blobs, WebAssembly of tables.
        "script-src 'self' blob: 'wasm-unsafe-eval' 'sha256-THxz9J9+wf7rhwR2YkXJoSZ13UCmYyC+3lNDv2+8ugA='",
        "style-src 'self' 'unsafe-inline'",
        "worker-src 'self' blob:",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
"""What a page may load: nothing from elsewhere, so that no slip can carry a photo out of this machine."""

_HEALTH = "/_stcore/health"
_LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]"}
_HEADERS = [
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"SAMEORIGIN"),
]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class AccessGate:
    """ASGI middleware over HTTP and WebSocket."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
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
            response = RedirectResponse(_address_without_token(scope), status_code=303)
            is_secure = scope.get("scheme") == "https"
            response.set_cookie(COOKIE, token, httponly=True, samesite="strict", path="/", secure=is_secure)
            await response(scope, receive, send)
        else:
            await self.app(scope, receive, _with_headers(send))


def is_loopback(address: str) -> bool:
    """Whether an address, or the name ``localhost``, is reached from this machine alone."""
    try:
        return address == "localhost" or ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def _refusal(scope: Message, token: str) -> str:
    """Why a request is not answered; empty when it is."""
    host = _host_of(_header(scope, b"host"))
    listed = {name.strip().lower() for name in os.environ.get(HOSTS_VARIABLE, "").split(",") if name.strip()}
    if host not in _LOCAL_HOSTS | listed and (listed or not token):
        return f"MaskDesk is not served under the name {host!r}; use localhost, or name it in {HOSTS_VARIABLE}"
    if token:
        if _given_in_url(scope, token) or _given_in_cookie(scope, token):
            return ""
        return f"MaskDesk: open the address with ?token=..., the value of {TOKEN_VARIABLE}"
    client = (scope.get("client") or ("", 0))[0]
    return "" if is_loopback(client) else f"MaskDesk serves this machine only; set {TOKEN_VARIABLE} to let others in"


def _host_of(header: str) -> str:
    """The name in a Host header, without its port.

    >>> _host_of("LocalHost:8501"), _host_of("[::1]:8501"), _host_of("")
    ('localhost', '[::1]', '')
    """
    name = header.lower()
    return name[: name.find("]") + 1] if name.startswith("[") else name.partition(":")[0].rstrip(".")


def _given_in_url(scope: Message, token: str) -> bool:
    given = dict(_query(scope)).get("token", "")
    return hmac.compare_digest(given.encode(), token.encode())


def _given_in_cookie(scope: Message, token: str) -> bool:
    try:
        cookie = SimpleCookie(_header(scope, b"cookie")).get(COOKIE)
    except CookieError:
        return False
    return cookie is not None and hmac.compare_digest(cookie.value.encode(), token.encode())


def _address_without_token(scope: Message) -> str:
    """Where to go after the token is taken: the same page with its other parameters, never another host."""
    rest = urlencode([(name, value) for name, value in _query(scope) if name != "token"])
    path = "/" + quote(scope["path"].replace("\\", "/").lstrip("/"))
    return f"{path}?{rest}" if rest else path


def _query(scope: Message) -> list[tuple[str, str]]:
    return parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)


def _header(scope: Message, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *_HEADERS]
        await send(message)

    return sending
