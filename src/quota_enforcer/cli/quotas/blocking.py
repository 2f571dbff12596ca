"""`quota block` and `quota unblock`: no use at all, as a quota item with limit 0."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.files.by_hand import BLOCK
from quota_enforcer.cli.quotas.edit import (
    cannot_deny,
    carry_out,
    checked_edit,
    effect,
    stored_item,
)
from quota_enforcer.cli.quotas.preview import DRY_RUN, Consent, goes_on, preview
from quota_enforcer.cli.terminal.options import AsJson, DryRun, SubjectArg, Yes, on_deployment
from quota_enforcer.cli.terminal.output import hint, say, say_json
from quota_enforcer.cli.terminal.principals import members_of
from quota_enforcer.cli.terminal.when import end_moment
from quota_enforcer.core.errors import NotThere
from quota_enforcer.core.quotas.form.ends import END_FORMS, moment_text
from quota_enforcer.core.quotas.subject import Subject


def block(
    subject: str,
    *,
    members: Iterable[str] = (),
    models: list[str] | None = None,
    until: str | None = None,
    note: str | None = None,
) -> dict[str, Any]:
    """The item that blocks a subject: limit 0 for these models, or for all."""
    said = {"models": models, "members": sorted(members), "until": until, "note": note}
    return {
        "principal": subject,
        "quota": BLOCK,
        "measure": "requests",
        "limit": Decimal(0),
        "window": "day",
        **{name: value for name, value in said.items() if value},
    }


@on_deployment
def block_(  # noqa: PLR0913 - one argument for each part of it
    deployment: Deployment,
    subject: SubjectArg,
    *,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN", help=f"When it ends: {END_FORMS}. Default: until you unblock them."
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "--models",
            metavar="SCOPE",
            help="A model scope; repeatable, or several with commas. Default: all models.",
        ),
    ] = None,
    note: Annotated[
        str | None, typer.Option(metavar="TEXT", help="For whoever reads it later.")
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Block somebody by hand: a quota with limit 0 that ends by itself.

    It takes the place of an earlier block by hand. Of a team it blocks who is
    in it now, and asks first; without a terminal that needs --yes. `quota
    unblock` and `release` end it.

    Examples:
      quota-enforcer quota block user/mallory --until 2d --note "key leaked"
      quota-enforcer quota block team/interns --models 'anthropic.claude-3-opus*'
    """
    now, settings = clock.now(), deployment.settings
    ends = end_moment(until, settings.context(now), "--until") if until is not None else None
    key, old = stored_item(deployment, subject, BLOCK)
    members: Iterable[str] = ()
    if Subject(key).is_team:
        members = map(str, members_of(deployment.load(now).rules, key))
    new = block(
        key,
        members=members,
        models=[scope.strip() for each in model or [] for scope in each.split(",")],
        until=moment_text(ends, settings.zone) if ends else None,
        note=note,
    )
    edit = checked_edit(deployment, key, old, new)
    alone = not (edit.rule.subject.is_group or edit.rule.members)
    edit = carry_out(deployment, edit, Consent(yes, dry_run, as_json), now, wanted=alone)
    if as_json or dry_run:
        return
    if ends is None:
        hint(f"It holds until: quota-enforcer quota unblock {key}")
    if edit.rule.members:
        hint(f"It holds for who is in {key} now: {', '.join(edit.rule.members)}.")
    if why := cannot_deny(deployment, edit.rule):
        hint(f"Note: {why}; it only notifies admins")


@on_deployment
def unblock(
    deployment: Deployment,
    subject: SubjectArg,
    *,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """End a block by hand.

    Quotas that are used up go on blocking; `release` lifts those blocks too.

    Examples:
      quota-enforcer quota unblock user/mallory
    """
    key, old = stored_item(deployment, subject, BLOCK)
    if old is None:
        blocked = sorted(
            str(item["principal"]) for item in deployment.quotas.items() if item["quota"] == BLOCK
        )
        raise NotThere(
            f"{key} is not blocked by hand; blocked by hand: {', '.join(blocked) or 'nobody'}"
        )
    consent = Consent(yes, dry_run, as_json)
    found = preview(deployment, {(key, BLOCK): None}, clock.now())
    written = goes_on(found, consent)
    if written:
        deployment.remove(key, BLOCK, old)
    if as_json:
        document = {"principal": key, "removed": old, "written": written}
        say_json({**document, **found.effects.to_json()})
        return
    if not written:
        say(DRY_RUN)
        return
    say(f"The block by hand of {key} is over.")
    hint(effect(deployment, found))
