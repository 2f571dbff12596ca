"""Who may use the console: whoever has its token, and no other site in the same browser.

The token stands in the address that the console is opened with, is good for once, and becomes a
cookie that scripts cannot read and that other sites' pages do not send. A name that only leads to
this machine (DNS rebinding) is refused by the Host, a form or a script of another page by the
Origin and by what the browser says of where a request comes from.
"""

import secrets
from hmac import compare_digest
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN: Final = "token"  # noqa: S105 - its name in the address
_READS: Final = frozenset({"GET", "HEAD"})
_OURS: Final = frozenset({"same-origin", "none"})
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class SiteGuard:
    """Stands before every page; `port` is where the console answers."""

    def __init__(self, app: ASGIApp, port: int, token: str) -> None:
        self._app = app
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._cookie = f"console_{port}"  # a browser keeps cookies by host, whatever the port
        self._token: str | None = token
        self._pass = secrets.token_urlsafe(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        answer = self._answer(Request(scope))
        app = self._app if answer is None else answer

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await app(scope, receive, guarded)

    def _answer(self, request: Request) -> Response | None:
        """What is answered instead of the page; None lets the request through."""
        refusal = self._foreign(request.method, request.headers)
        if refusal:
            return PlainTextResponse(f"Refused: {refusal}.\n", 403)
        given = request.query_params.get(TOKEN)
        if given is not None and self._token and _same(given, self._token):
            self._token = None
            entered = RedirectResponse("/", 303)
            entered.set_cookie(self._cookie, self._pass, httponly=True, samesite="strict")
            return entered
        if _same(request.cookies.get(self._cookie, ""), self._pass):
            return None
        return PlainTextResponse(
            "Open the address that `quota-enforcer console` printed: it is good for one browser. "
            "If it was used already, start the console again.\n",
            401,
        )

    def _foreign(self, method: str, headers: Headers) -> str:
        """Why a request is not from our own page or from whoever types the address."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self._hosts:
            return f"Host is {host!r}, not one of {', '.join(sorted(self._hosts))}"
        if origin is not None and urlsplit(origin)[:2] != ("http", host):
            return f"Origin is {origin!r}, not http://{host}"
        if method not in _READS and origin is None:
            return "a change needs an Origin"
        if headers.get("sec-fetch-site", "none") not in _OURS and (
            method not in _READS or headers.get("sec-fetch-mode") != "navigate"
        ):
            return "another site asked"
        return ""


def _same(given: str, right: str) -> bool:
    """Told in the same time whatever is given."""
    return compare_digest(given.encode("utf-8", "replace"), right.encode())
