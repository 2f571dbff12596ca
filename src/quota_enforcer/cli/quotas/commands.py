"""The group `quota`: its commands `list` and `remove`; the others are in files of their own."""

from datetime import datetime

import typer
from rich.text import Text

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.quotas.blocking import block_, unblock
from quota_enforcer.cli.quotas.check import check
from quota_enforcer.cli.quotas.edit import effect, no_such_item, stored_item
from quota_enforcer.cli.quotas.export import export
from quota_enforcer.cli.quotas.importing import import_
from quota_enforcer.cli.quotas.preview import DRY_RUN, Consent, goes_on, preview
from quota_enforcer.cli.quotas.raising import raise_
from quota_enforcer.cli.quotas.set import set_
from quota_enforcer.cli.quotas.show import show
from quota_enforcer.cli.terminal.options import (
    AsJson,
    DryRun,
    Name,
    SubjectArg,
    Yes,
    on_deployment,
)
from quota_enforcer.cli.terminal.output import hint, say, say_json
from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.core.errors import UnknownIdentity
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.describe import named
from quota_enforcer.core.quotas.diff import changes, shown
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.quotas.subject import is_team_item
from quota_enforcer.insight.quotas.items import ItemState, states

app = typer.Typer(no_args_is_help=True, help="Who may use how much.")


@on_deployment
def list_(deployment: Deployment, *, as_json: AsJson = False) -> None:
    """Show every quota, whether it is in force, and what is wrong with those that are not valid.

    Of one that is not valid, the last valid version stays in force.

    Examples:
      quota-enforcer quota list
      quota-enforcer quota list --json
    """
    known = states(
        deployment.quotas.items(),
        deployment.ledger.quota_memories(),
        deployment.settings,
        clock.now(),
    )
    if as_json:
        say_json({"quotas": [state.to_json() for state in known]})
        return
    if not known:
        say("There are no quotas.")
        hint("Add one, for instance: quota-enforcer quota set default daily "
             "--measure cost_usd --limit 20 --window day")  # fmt: skip
        return
    say_table(("Subject", "Quota", "Limit", "Warns at", "State"), [_row(each) for each in known])
    for state in known:
        if state.problems:
            say(f"{state.name} of {state.subject} is not valid; {state.instead}:")
            for problem in state.problems:
                say(f"  - {problem}")


@on_deployment
def remove(
    deployment: Deployment,
    subject: SubjectArg,
    name: Name,
    *,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Remove a quota; says which one of that name applies to a principal instead.

    Whoever it blocked is free in seconds, unless another quota blocks too. If
    another one blocks somebody instead it asks; without a terminal give --yes.

    Examples:
      quota-enforcer quota remove user/alice daily
      quota-enforcer quota delete user/alice daily
    """
    key, old = stored_item(deployment, subject, name)
    if old is None:
        raise no_such_item(deployment, key, name, to="remove")
    now, consent = clock.now(), Consent(yes, dry_run, as_json)
    found = preview(deployment, {(key, name): None}, now)
    written = goes_on(found, consent)
    removed = deployment.remove(key, name, old) if written else old
    instead = _instead(deployment, key, name, now) if written else None
    if as_json:
        applies = (
            None
            if instead is None
            else [{"principal": r.subject, "quota": r.name} for r in instead]
        )
        document = {"removed": removed, "applies_instead": applies, "written": written}
        say_json({**document, **found.effects.to_json()})
        return
    say(f"{'Removed' if written else 'Would remove'} quota {name} of {key}:")
    say_table(("Attribute", "Was"), [(c.attribute, shown(c.old)) for c in changes(removed, None)])
    if instead:
        say(f"To {key} applies instead: {'; '.join(map(named, instead))}.")
    elif is_team_item(old):
        say(
            f"The quotas of {key} that name no members are not valid without it: they keep whom "
            "they have, and admins are told."
        )
    elif instead is not None:
        say(f"No quota of that name applies to {key} any more.")
    if written:
        hint(effect(deployment, found))
    else:
        say(DRY_RUN)


def _instead(
    deployment: Deployment, subject: str, name: str, now: datetime
) -> tuple[Quota, ...] | None:
    """The quotas of that name that apply now; None if the subject is not one principal."""
    try:
        principal = Principal.parse(subject)
    except UnknownIdentity:
        return None
    applicable = deployment.load(now).book.applicable_to(principal, now)
    return tuple(quota for quota in applicable.whole if quota.name == name)


def _row(state: ItemState) -> tuple[str | Text, ...]:
    style = "red" if state.problems else ("" if state.in_force else "dim")
    return state.subject, state.name, state.limit, state.warns_at, Text(state.words, style)


app.command("set", no_args_is_help=True)(set_)
app.command("list")(list_)
app.command(no_args_is_help=True)(show)
app.command(no_args_is_help=True)(remove)
app.command("delete", no_args_is_help=True, hidden=True)(remove)
app.command("raise", no_args_is_help=True)(raise_)
app.command("block", no_args_is_help=True)(block_)
app.command(no_args_is_help=True)(unblock)
app.command("import", no_args_is_help=True)(import_)
app.command()(export)
app.command()(check)
