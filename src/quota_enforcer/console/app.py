"""The console's addresses, and what becomes of an error."""

from importlib.resources import files
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from quota_enforcer.cli.terminal.errors import explain
from quota_enforcer.console.guard import SiteGuard
from quota_enforcer.console.page import Desk, refuse
from quota_enforcer.console.pages import acting, editing, importing, reading, trying
from quota_enforcer.core.errors import EnforcerError

_SHARED: Final = files("quota_enforcer.insight.report") / "templates" / "shared"
"""The report's design, which is the console's too."""


def console(desk: Desk, port: int, token: str) -> SiteGuard:
    """The application; `port` is where it is going to answer, `token` lets one browser in."""
    app = Starlette(
        routes=[
            Route("/", reading.overview),
            Route("/live", reading.live),
            Route("/people", reading.people),
            Route("/people/{principal:path}", reading.person),
            Route("/act/{what}/{principal:path}", acting.act, methods=["POST"]),
            Route("/quotas", editing.quotas),
            Route("/quotas/edit", editing.form),
            Route("/quotas/preview", editing.preview_, methods=["POST"]),
            Route("/quotas/save", editing.save, methods=["POST"]),
            Route("/quotas/remove", editing.remove, methods=["POST"]),
            Route("/quotas/import", importing.plan, methods=["POST"]),
            Route("/quotas/import/write", importing.write_plan, methods=["POST"]),
            Route("/activity", reading.activity),
            Route("/health", reading.health),
            Route("/health/findings", reading.findings),
            Route("/try", trying.page),
            Route("/try/call", trying.call, methods=["POST"]),
            Route("/try/clock", trying.move, methods=["POST"]),
            Route("/shared/{name}", shared),
            Mount("/static", StaticFiles(packages=[("quota_enforcer.console", "static")])),
        ],
        exception_handlers={EnforcerError: refused, Exception: failed, 404: missing},
    )
    app.state.desk = desk
    return SiteGuard(app, port, token)


async def shared(request: Request) -> Response:
    """A style sheet of the report."""
    name = request.path_params["name"]
    if name not in {"report.css", "tables.css"}:
        return await missing(request, LookupError(name))
    return Response((_SHARED / name).read_bytes(), media_type="text/css")


async def missing(request: Request, _error: Exception) -> Response:
    return refuse(request, 404, f"There is no page {request.url.path}.")


async def refused(request: Request, error: Exception) -> Response:
    """What cannot be, in one sentence with its fix."""
    return refuse(request, 400, explain(error) or str(error))


async def failed(request: Request, error: Exception) -> Response:
    """In one sentence, as a command would; a defect of the product is raised, and so logged."""
    words = explain(error) or f"{type(error).__name__}: {error}"
    return await run_in_threadpool(refuse, request, 500, words)
