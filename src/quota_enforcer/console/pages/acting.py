"""What a person's page does: raise, block, unblock, release; each is shown first, and asks once."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import typer
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from quota_enforcer.cli.files.by_hand import BLOCK
from quota_enforcer.cli.operate.release import release_records, take_effect
from quota_enforcer.cli.quotas.blocking import block
from quota_enforcer.cli.quotas.edit import StoredEdit, checked_edit
from quota_enforcer.cli.quotas.preview import preview
from quota_enforcer.cli.quotas.raising import RaiseWish, plan_raise
from quota_enforcer.cli.terminal.when import end_moment
from quota_enforcer.console.edits import fingerprint, proposal, write
from quota_enforcer.console.look import Look
from quota_enforcer.console.page import desk, refuse, see, show
from quota_enforcer.console.pages.editing import conflict
from quota_enforcer.core.errors import Conflict, EnforcerError
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.form.ends import moment_text


async def act(request: Request) -> Response:
    form = await request.form()
    return await run_in_threadpool(_act, request, form)


def _act(request: Request, form: FormData) -> Response:
    look, who = desk(request).look, Principal.parse(request.path_params["principal"])
    what = request.path_params["what"]
    try:
        if what in _EDITS:
            return _edit(request, form, who, _EDITS[what](look, who, form))
        if what in _OTHERS:
            return _OTHERS[what](request, form, who)
    except (typer.BadParameter, EnforcerError) as error:
        return refuse(request, 400, str(error))
    return refuse(request, 404, f"There is no action {what}.")


def _edit(request: Request, form: FormData, who: Principal, edit: StoredEdit) -> Response:
    look, seen = desk(request).look, form.get("seen")
    if seen is not None:
        try:
            write(look, edit, str(seen))
        except Conflict:
            return conflict(request, (edit.key, edit.name), str(seen), f"/people/{who}")
        return see(f"/people/{who}")
    return show(
        request,
        "editing/confirm.html.j2",
        who=str(who),
        title=f"{request.path_params['what'].capitalize()} {who}",
        proposal=proposal(look, edit),
        words=[],
        carried=_carried(form),
    )


def _raise(look: Look, who: Principal, form: FormData) -> StoredEdit:
    to = str(form.get("to", "")).strip() or None
    wish = RaiseWish(to, _end(look, form) or look.now)
    edit, *_ = plan_raise(look.deployment, str(who), str(form.get("quota")), wish, look.now)
    return edit


def _block(look: Look, who: Principal, form: FormData) -> StoredEdit:
    ends = _end(look, form, needed=False)
    until = moment_text(ends, look.deployment.settings.zone) if ends else None
    note = str(form.get("note", "")).strip() or None
    old = look.deployment.quotas.get(str(who), BLOCK)
    return checked_edit(look.deployment, str(who), old, block(str(who), until=until, note=note))


def _end(look: Look, form: FormData, *, needed: bool = True) -> datetime | None:
    text = str(form.get("until", "")).strip()
    return end_moment(text, look.context, "until") if text or needed else None


def _unblock(request: Request, form: FormData, who: Principal) -> Response:
    look = desk(request).look
    stored = look.deployment.quotas.get(str(who), BLOCK)
    if stored is None:
        return refuse(request, 400, f"{who} is not blocked by hand.")
    if form.get("seen") == fingerprint(stored):
        look.deployment.remove(str(who), BLOCK, stored)
        look.forget()
        return see(f"/people/{who}")
    found = preview(look.deployment, {(str(who), BLOCK): None}, look.now)
    words = [f"The block by hand of {who} is over.", *found.said()]
    return _ask(request, who, words, _carried(form) | {"seen": fingerprint(stored)})


def _release(request: Request, form: FormData, who: Principal) -> Response:
    look = desk(request).look
    deployment, context = look.deployment, look.context
    agreed = "seen" in form
    record = deployment.ledger.records([who])[who]
    [outcome] = release_records(
        deployment, [record], _end(look, form, needed=False), context, dry_run=not agreed
    )
    if outcome.error or outcome.why_not:
        return refuse(request, 400, outcome.error or f"{outcome.why_not}.")
    if agreed:
        take_effect(deployment, [outcome])
        look.forget()
        return see(f"/people/{who}")
    words = [each.words(context.zone) for each in outcome.lifted]
    return _ask(request, who, words, _carried(form) | {"seen": "released"})


def _ask(request: Request, who: Principal, words: list[str], carried: dict[str, str]) -> Response:
    title = f"{request.path_params['what'].capitalize()} {who}"
    return show(
        request, "editing/confirm.html.j2",
        who=str(who), title=title, proposal=None, words=words, carried=carried,
    )  # fmt: skip


def _carried(form: FormData) -> dict[str, str]:
    """What the answer has to say again."""
    return {name: str(value) for name, value in form.items() if name != "seen"}


_EDITS: Final[dict[str, Callable[[Look, Principal, FormData], StoredEdit]]] = {
    "raise": _raise,
    "block": _block,
}
_OTHERS: Final[dict[str, Callable[[Request, FormData, Principal], Response]]] = {
    "unblock": _unblock,
    "release": _release,
}
