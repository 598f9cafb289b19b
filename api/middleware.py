"""What happens to every request before and after its endpoint: request ids, hosts, origins, sizes, headers."""

from __future__ import annotations

import re
import secrets
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.error_codes import ErrorCode
from api.problem_json import ApiError, answer

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class RequestFrame:
    """Gives every request an id, refuses foreign hosts and origins, and adds the security headers.

    A page of another site must not drive a service on this machine (cross-site requests, names rebound to
    127.0.0.1): the host must be known where any are named, and a request that states its origin must come from the
    service's own pages.

    Parameters
    ----------
    hosts
        Host names the service answers under; empty: any.
    max_body_bytes
        Largest body, whether its length is stated or not.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...], max_body_bytes: int) -> None:
        self.app, self.hosts, self.max_body_bytes = app, frozenset(host.lower() for host in hosts), max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        scope["request_id"] = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)

        async def send_framed(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                answered["X-Request-Id"] = scope["request_id"]
                for name, value in SECURITY_HEADERS.items():
                    answered.setdefault(name, value)
            await send(message)

        refused = self._refusal(headers)
        if refused is not None:
            await answer(Request(scope), refused)(scope, receive, send_framed)
            return
        await self.app(scope, self._counted(receive), send_framed)

    def _counted(self, receive: Receive) -> Receive:
        """Return a receiver that fails once the body is larger than allowed."""
        size = 0

        async def receive_counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self.max_body_bytes:
                raise HTTPException(413)
            return message

        return receive_counted

    def _refusal(self, headers: Headers) -> ApiError | None:
        host = headers.get("host", "")
        name = urlsplit(f"//{host}").hostname if _is_plain(host) else None
        if self.hosts and (name or "") not in self.hosts:
            return ApiError(ErrorCode.UNKNOWN_HOST, "The host name is not one of the service's.")
        length = headers.get("content-length", "")
        if length.isdigit() and (len(length) > 18 or int(length) > self.max_body_bytes):
            return ApiError(ErrorCode.BODY_TOO_LARGE, f"The body has more than {self.max_body_bytes} bytes.")
        origin = headers.get("origin")
        if origin is not None and (not _is_plain(origin) or urlsplit(origin).netloc.lower() != host.lower()):
            return ApiError(ErrorCode.FOREIGN_ORIGIN, "The request comes from a page of another site.")
        return None


def _is_plain(text: str) -> bool:
    """Return whether a header can be split as a URL without surprises."""
    return re.fullmatch(r"[A-Za-z0-9.:/\[\]_-]+", text) is not None and text.count("[") == text.count("]") <= 1
