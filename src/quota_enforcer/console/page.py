"""Templates and answers: every page has the same frame, and every name in it is escaped."""

from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from quota_enforcer.console.look import Look
from quota_enforcer.console.playground import Playground
from quota_enforcer.insight.report.page import templates

_SEE_OTHER: Final = 303


@dataclass(frozen=True, slots=True)
class Desk:
    """What every page has at hand: the deployment, and of a sandbox what one may do in it."""

    look: Look
    playground: Playground | None = None


def desk(request: Request) -> Desk:
    found: Desk = request.app.state.desk
    return found


def show(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page, or a part of one."""
    at = desk(request)
    settings = at.look.deployment.settings
    written = (
        environment(settings.zone)
        .get_template(template)
        .render(
            stack=settings.stack,
            mode=settings.mode,
            zone=settings.zone,
            now=at.look.now,
            path=request.url.path,
            address=str(request.url.path) + (f"?{request.url.query}" if request.url.query else ""),
            playground=at.playground,
            **values,
        )
    )
    return HTMLResponse(written, status)


def refuse(request: Request, status: int, words: str) -> HTMLResponse:
    """The page that says what cannot be, and why."""
    return show(request, "frame/error.html.j2", status, words=words)


def see(address: str) -> RedirectResponse:
    """After a change the page that shows it, which may be loaded again without changing more."""
    return RedirectResponse(address, _SEE_OTHER)


@cache
def environment(zone: ZoneInfo) -> Environment:
    """The report's, and how what people typed becomes a part of an address."""
    found = templates("quota_enforcer.console", zone)
    found.filters |= {
        "address": partial(quote, safe="/"),
        "query": partial(quote, safe=""),
    }
    return found
