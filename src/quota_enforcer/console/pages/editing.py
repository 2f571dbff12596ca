"""The quotas: a list, and a form that says what an item means before it is saved."""

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from quota_enforcer.cli.quotas.edit import StoredEdit, checked_edit, edited
from quota_enforcer.cli.quotas.preview import preview
from quota_enforcer.console.edits import ProposedEdit, fingerprint, meanwhile, proposal, write
from quota_enforcer.console.look import Look
from quota_enforcer.console.page import desk, see, show
from quota_enforcer.console.pages.fields import ASKED, KEY, form_fields, item_of, texts
from quota_enforcer.console.pages.paging import part
from quota_enforcer.core.errors import Conflict, EnforcerError, InvalidQuota
from quota_enforcer.core.quotas.form.shorthand import item_form, of_two_meanings
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.core.quotas.subject import GROUPS
from quota_enforcer.insight.quotas.items import states


@dataclass(frozen=True, slots=True)
class CheckedForm:
    """What was written into the form, and what it comes to.

    Attributes:
        problems: by field what is wrong; what belongs to no field is under "".
        proposal: what it means, if nothing is wrong.
    """

    problems: dict[str, list[str]]
    edit: StoredEdit | None = None
    proposal: ProposedEdit | None = None


def quotas(request: Request) -> Response:
    """Every item, valid or not."""
    look = desk(request).look
    deployment = look.deployment
    mark = look.mark()
    memories = deployment.ledger.quota_memories()
    items = states(deployment.quotas.items(), memories, deployment.settings, look.now)
    return show(request, "editing/quotas.html.j2", mark=mark, part=part(request, items))


def form(request: Request) -> Response:
    """For a stored item, or an empty one."""
    look, asked = desk(request).look, request.query_params
    key = asked.get("principal", ""), asked.get("quota", "")
    stored = look.deployment.quotas.get(*key) if all(key) else None
    values = dict(zip(KEY, key, strict=True)) | (texts(stored) if stored else {})
    return _page(request, values, CheckedForm({}), fingerprint(stored), known=stored is not None)


async def preview_(request: Request) -> Response:
    """What the form means as it stands, for below it."""
    given = await request.form()
    checked = await run_in_threadpool(_checked, desk(request).look, given)
    return show(request, "editing/meaning.html.j2", checked=checked)


async def save(request: Request) -> Response:
    return await run_in_threadpool(_save, request, await request.form())


async def remove(request: Request) -> Response:
    return await run_in_threadpool(_remove, request, await request.form())


def _save(request: Request, given: FormData) -> Response:
    look, seen = desk(request).look, str(given.get("seen", ""))
    checked = _checked(look, given)
    values = {name: str(given.get(name, "")) for name in (*KEY, *ASKED)}
    if checked.edit is None or checked.proposal is None:
        return _page(request, values, checked, seen, known=bool(seen), status=422)
    if checked.proposal.question and given.get("agreed") != checked.proposal.question:
        return _page(request, values, checked, seen, known=bool(seen), asks=True)
    try:
        if checked.edit.made:
            write(look, checked.edit, seen)
    except Conflict:
        return conflict(request, (checked.edit.key, checked.edit.name), seen, "/quotas")
    return see("/quotas")


def _remove(request: Request, given: FormData) -> Response:
    look, seen = desk(request).look, str(given.get("seen", ""))
    key = str(given.get("principal", "")), str(given.get("quota", ""))
    stored = look.deployment.quotas.get(*key)
    if stored is None or fingerprint(stored) != seen:
        return conflict(request, key, seen, "/quotas")
    found = preview(look.deployment, {key: None}, look.now)
    if "agreed" not in given:
        return show(
            request, "editing/confirm.html.j2",
            who="", title=f"Remove quota {key[1]} of {key[0]}", proposal=None,
            words=list(found.said()) or ["It blocks and releases nobody."],
            carried={"principal": key[0], "quota": key[1], "agreed": "yes", "seen": seen},
        )  # fmt: skip
    look.deployment.remove(*key, stored)
    look.forget()
    return see("/quotas")


def conflict(request: Request, key: tuple[str, str], seen: str, back: str) -> Response:
    """What somebody else has changed of an item since it was seen; nothing was written."""
    subject, name = key
    now = desk(request).look.deployment.quotas.get(subject, name)
    return show(
        request, "editing/conflict.html.j2", 409,
        item=f"quota {name} of {subject}", changes=meanwhile(seen, now), back=back,
    )  # fmt: skip


def _checked(look: Look, given: FormData) -> CheckedForm:
    """By the enforcer's own rules."""
    key = tuple(str(given.get(name, "")).strip() for name in KEY)
    stored = look.deployment.quotas.get(*key) if all(key) else None
    said = {name: text for name in ASKED if (text := str(given.get(name, "")).strip())}
    two = of_two_meanings(said.get("limit", ""))
    if two:
        return CheckedForm({"limit": [f"it can be read in two ways: write {two}"]})
    try:
        new = edited(
            stored, _item(look, key, said, stored), (given.keys() & set(ASKED)) - said.keys()
        )
        edit = checked_edit(look.deployment, key[0], stored, new)
        return CheckedForm({}, edit, proposal(look, edit))
    except InvalidQuota as error:
        return CheckedForm(_by_field(error.problems))
    except EnforcerError as error:
        return CheckedForm({"": [str(error)]})


def _item(look: Look, key: tuple[str, ...], said: dict[str, str], stored: Item | None) -> Item:
    settings = look.deployment.settings
    written = item_of(said, settings.denies, look.now, settings.zone)
    return {**item_form(written, stored), "principal": key[0], "quota": key[1]}


def _by_field(problems: tuple[str, ...]) -> dict[str, list[str]]:
    """A problem begins with the name of its attribute."""
    found: dict[str, list[str]] = {}
    for problem in problems:
        name, _, rest = problem.partition(" ")
        at_field = name in {*KEY, *ASKED}
        found.setdefault(name if at_field else "", []).append(rest if at_field else problem)
    return found


def _page(  # noqa: PLR0913 - one argument for each thing that it shows
    request: Request,
    values: dict[str, str],
    checked: CheckedForm,
    seen: str,
    *,
    known: bool,
    asks: bool = False,
    status: int = 200,
) -> Response:
    deployment = desk(request).look.deployment
    fields = form_fields(deployment.settings.denies)
    return show(
        request,
        "editing/form.html.j2",
        status,
        values={name: values.get(name, "") for name in (*KEY, *ASKED)},
        fields=fields,
        unfolded=any(
            values.get(each.name) or each.name in checked.problems
            for each in fields
            if not each.first
        ),
        checked=checked,
        seen=seen,
        known=known,
        asks=asks,
        subjects=[*GROUPS, *sorted(str(each.principal) for each in deployment.ledger.everybody())],
        scopes=sorted(map(str, deployment.settings.denies)),
    )
