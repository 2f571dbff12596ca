"""A file that was dropped on the page of quotas: its plan first, then the writing."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import typer
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from quota_enforcer.cli.files.import_plan import ImportPlan, WantedItem, Written, write
from quota_enforcer.cli.files.items import judge_items, read_items
from quota_enforcer.cli.quotas.importing import planned
from quota_enforcer.cli.quotas.preview import preview
from quota_enforcer.console.look import Look
from quota_enforcer.console.page import desk, refuse, show

MOST: Final = 4_000_000
"""Bytes of a file."""


async def plan(request: Request) -> Response:
    """What the file would change; nothing is written."""
    async with request.form() as form:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            return refuse(request, 400, "Choose a file of quota items first.")
        raw = await file.read(MOST + 1)
        name = Path(file.filename).name
    if len(raw) > MOST:
        return refuse(request, 413, "The file is larger than 4 MB.")
    return await run_in_threadpool(_shown, request, name, raw.decode("utf-8-sig", "replace"))


async def write_plan(request: Request) -> Response:
    """Write it if it still is what was agreed to."""
    form = await request.form()
    return await run_in_threadpool(
        _written, request, str(form.get("name")), str(form.get("text")), str(form.get("agreed"))
    )


def _shown(request: Request, name: str, text: str) -> Response:
    look = desk(request).look
    try:
        made, problems = _plan(look, name, text)
    except typer.BadParameter as error:
        return refuse(request, 422, str(error))
    edits = {step.key: step.item for step in made.steps}
    found = preview(look.deployment, edits, look.now) if edits and not problems else None
    return show(
        request, "editing/plan.html.j2",
        name=name, text=text, plan=made, problems=problems, agreed=_agreed(made),
        effects=list(found.said()) if found else [], written=None,
    )  # fmt: skip


def _written(request: Request, name: str, text: str, agreed: str) -> Response:
    look = desk(request).look
    made, problems = _plan(look, name, text)
    if problems or _agreed(made) != agreed:  # the table has changed meanwhile: show it again
        return _shown(request, name, text)
    done = Written()
    deployment = look.deployment
    write(deployment.quotas, made.steps, deployment.caller(), done, deployment.announce_removal)
    look.forget()
    return show(
        request, "editing/plan.html.j2",
        name=name, text=text, plan=made, problems=[], agreed="", effects=[], written=done,
    )  # fmt: skip


def _plan(look: Look, name: str, text: str) -> tuple[ImportPlan, list[str]]:
    """The plan, and what is wrong in the file; raises BadParameter if it is no list of items."""
    deployment = look.deployment
    stored = deployment.quotas.items()
    with TemporaryDirectory() as folder:
        file = Path(folder, Path(name).name or "quotas.yaml")
        file.write_text(text, encoding="utf-8")
        try:
            items = read_items(file)
        except typer.BadParameter as error:
            raise typer.BadParameter(str(error).replace(str(file), name)) from error
    settings = deployment.settings
    judged = judge_items(items, settings.zone, sorted(settings.denies), stored, settings.account)
    wanted = [WantedItem(each.placed.item, each.rule) for each in judged]
    return planned(deployment, wanted, stored), [each.words for each in judged if each.problems]


def _agreed(made: ImportPlan) -> str:
    """The steps as a text: what is written is what was shown."""
    return "\n".join(step.words for step in made.steps)
