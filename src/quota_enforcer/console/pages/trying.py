"""Of a sandbox: make a call as somebody, see IAM's answer, and move the clock."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from quota_enforcer.console.page import desk, refuse, show
from quota_enforcer.console.playground import Answered


def page(request: Request) -> Response:
    if desk(request).playground is None:
        return refuse(request, 404, "Only a sandbox's console has this page.")
    look = desk(request).look
    return show(request, "trying/try.html.j2", mark=look.mark(), answer=None)


async def call(request: Request) -> Response:
    form = await request.form()
    given = [str(form.get(name, "")) for name in ("name", "tokens", "model")]
    return await run_in_threadpool(_call, request, given)


async def move(request: Request) -> Response:
    form = await request.form()
    return await run_in_threadpool(_move, request, str(form.get("to", "")))


def _call(request: Request, given: list[str]) -> Response:
    playground = desk(request).playground
    if playground is None:
        return page(request)
    try:
        answer = playground.call(*given)
    except ValueError as error:
        answer = Answered(str(error), refused=True)
    return show(request, "trying/answer.html.j2", answer=answer)


def _move(request: Request, to: str) -> Response:
    at = desk(request)
    if at.playground is None:
        return page(request)
    try:
        at.playground.move(to)
    except ValueError as error:
        return show(request, "trying/answer.html.j2", answer=Answered(str(error), refused=True))
    at.look.forget()
    words = f"It is now {at.look.now:%a %Y-%m-%d %H:%M} UTC."
    return show(request, "trying/answer.html.j2", answer=Answered(words, refused=False))
