"""`quota set`: add or change a quota item, checked by the enforcer's own rules."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Any

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.quotas.edit import (
    StoredEdit,
    cannot_deny,
    carry_out,
    checked_edit,
    edited,
    one_meaning,
    stored_item,
)
from quota_enforcer.cli.quotas.preview import Consent, metered
from quota_enforcer.cli.terminal.names import whom
from quota_enforcer.cli.terminal.options import (
    AsJson,
    DryRun,
    Name,
    SubjectArg,
    Yes,
    on_deployment,
)
from quota_enforcer.cli.terminal.output import hint
from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.principal import split_principals
from quota_enforcer.core.quotas.form.ends import end_text
from quota_enforcer.core.quotas.form.shorthand import item_form, number
from quota_enforcer.core.quotas.item import KEPT_IN, Item
from quota_enforcer.core.quotas.lint import LintCode, review
from quota_enforcer.core.quotas.quota import Action, Quota, Rule
from quota_enforcer.core.usage.counts import OBSERVED

_RULE = "The rule"
_RAISE = "Raising it for a while"
_TEAM = "Teams"
_ITEM = "The item"
Several = list[str] | None


def _option(panel: str, metavar: str, text: str) -> Any:
    return typer.Option(metavar=metavar, help=text, rich_help_panel=panel)


@on_deployment
def set_(  # noqa: PLR0913 - one argument for each attribute of an item
    deployment: Deployment,
    subject: SubjectArg,
    name: Name,
    *,
    measure: Annotated[
        str | None, _option(_RULE, "MEASURE", "What is counted, such as cost_usd.")
    ] = None,
    weight: Annotated[
        Several, _option(_RULE, "COUNTER=NUMBER", "For weighted_tokens, all of them; repeatable.")
    ] = None,
    limit: Annotated[
        str | None, _option(_RULE, "NUMBER", "How much: 2_000_000, 2M, or $12.50.")
    ] = None,
    window: Annotated[
        str | None,
        _option(_RULE, "WINDOW", "hour, day, week, month, 'rolling 24h', 'rolling 15min'."),
    ] = None,
    resets_on: Annotated[
        str | None, _option(_RULE, "DAY", "Day of the week or of the month to begin on.")
    ] = None,
    model: Annotated[
        Several,
        typer.Option(
            "--model",
            "--models",
            metavar="SCOPE",
            help="A model scope; repeatable, or several with commas.",
            rich_help_panel=_RULE,
        ),
    ] = None,
    closes: Annotated[
        Several,
        _option(
            _RULE,
            "[PERCENT=]SCOPE",
            "What it closes, and at which part of the limit: 80=MODEL; repeatable. Default: "
            "what it counts, at the limit.",
        ),
    ] = None,
    regions: Annotated[
        Several,
        _option(_RULE, "REGION,...", "Count only what is used there. Default: all."),
    ] = None,
    accounts: Annotated[
        Several,
        _option(_RULE, "NUMBER,...", "Count only what is used there. Default: all."),
    ] = None,
    warn_at: Annotated[
        Several, _option(_RULE, "PERCENT", "When to warn, such as 50,80. Default: 80.")
    ] = None,
    action: Annotated[str | None, _option(_RULE, "ACTION", "deny (the default) or notify.")] = None,
    overshoot: Annotated[
        str | None,
        _option(_RULE, "ALLOW|AVOID", "avoid: close before the limit, by pace and lag."),
    ] = None,
    unusual: Annotated[
        str | None,
        _option(_RULE, "TIMES", "Of an hour: warn at so many times what is usual, such as 5x."),
    ] = None,
    unknown_prices: Annotated[
        str | None, _option(_RULE, "WARN|DENY", "For cost_usd: may assumed prices deny?")
    ] = None,
    exempt: Annotated[
        bool | None,
        typer.Option("--exempt/--no-exempt", help="No limit of this name.", rich_help_panel=_RULE),
    ] = None,
    until: Annotated[str | None, _option(_RULE, "WHEN", "When the whole item ends.")] = None,
    raise_to: Annotated[
        str | None, _option(_RAISE, "NUMBER", "Another limit, or unlimited.")
    ] = None,
    raise_until: Annotated[str | None, _option(_RAISE, "WHEN", "When the raise ends.")] = None,
    member: Annotated[
        Several,
        typer.Option(
            "--member",
            "--members",
            metavar="PRINCIPAL",
            help="Who is in the team; repeatable, or several with commas.",
            rich_help_panel=_TEAM,
        ),
    ] = None,
    leads_raise_to: Annotated[
        str | None,
        _option(_TEAM, "NUMBER", "Up to which limit leads of the team may raise it for a member."),
    ] = None,
    share: Annotated[
        str | None, _option(_TEAM, "SHARE", "each has this quota, or all share one: pool.")
    ] = None,
    enabled: Annotated[
        bool | None,
        typer.Option("--enable/--disable", help="Whether it counts.", rich_help_panel=_ITEM),
    ] = None,
    note: Annotated[str | None, _option(_ITEM, "TEXT", "For whoever reads it later.")] = None,
    unset: Annotated[Several, _option(_ITEM, "ATTRIBUTE", "What to remove; repeatable.")] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    r"""Add a quota, or change only the given attributes of a stored one.

    If it would block somebody at once it says whom, and asks. Without a
    terminal that needs --yes.

    Moments are written 2026-12-01 or 2026-12-01T09:00, in the deployment's
    time zone, or as a while from now: 2h, 3d.

    Examples:
      quota-enforcer quota set default daily \
          --measure cost_usd --limit 20 --window day
      quota-enforcer quota set user/alice daily \
          --raise-to 5_000_000 --raise-until 2026-12-01
      quota-enforcer quota set team/research daily \
          --measure total_tokens --limit 2_000_000 --window day \
          --members user/alice,user/bob --share pool
      quota-enforcer quota set role/ci monthly \
          --measure requests --limit 10000 --window month
      quota-enforcer quota set user/alice budget \
          --measure cost_usd --limit 12.50 --window month
      quota-enforcer quota set 'user/*' monthly \
          --measure cost_usd --limit 100 --window month \
          --closes '80=anthropic.claude-3-opus*' --closes '100=*'
      quota-enforcer quota set user/alice weighted --window day \
          --measure weighted_tokens --limit 1_000_000 \
          --weight input_tokens=1 --weight output_tokens=5
      quota-enforcer quota set 'user/*' europe --window day \
          --measure cost_usd --limit 50 --regions eu-west-1,eu-central-1
      quota-enforcer quota set 'user/*' runaway --window hour \
          --measure total_tokens --limit 200_000 --unusual 5x
    """
    now, zone = clock.now(), deployment.settings.zone
    given: dict[str, Any] = {
        "measure": measure,
        "weights": weight and _weights(weight),
        "limit": limit,
        "window": window,
        "resets_on": resets_on,
        "models": model,
        "closes": closes,
        "regions": regions,
        "accounts": accounts,
        "warn_at": warn_at,
        "action": action,
        "overshoot": overshoot,
        "unusual": unusual,
        "unknown_prices": unknown_prices,
        "enabled": enabled,
        "exempt": exempt,
        "raise_to": raise_to,
        "leads_raise_to": leads_raise_to,
        "raise_until": raise_until and end_text(raise_until, now, zone),
        "until": until and end_text(until, now, zone),
        "members": [whom(deployment, each) for each in split_principals(member or [])],
        "share": share,
        "note": note,
    }
    given = {name: value for name, value in given.items() if value not in (None, [])}
    for attribute in ("limit", "raise_to", "leads_raise_to"):
        one_meaning(given.get(attribute) or "")
    key, old = stored_item(deployment, subject, name)
    given = {**item_form(given, old), "principal": key, "quota": name}
    new = edited(old, given, _known(unset or [], old or {}))
    edit = checked_edit(deployment, key, old, new)
    carry_out(deployment, edit, Consent(yes, dry_run, as_json), now)
    if edit.made and not as_json:
        for line in (*_notes(deployment, edit.rule, now), *_kept(edit)):
            hint(f"Note: {line}")


def _weights(several: Iterable[str]) -> dict[str, Any]:
    """`output_tokens=5` as items have it; wrong numbers are left for validation."""
    weights: dict[str, Any] = {}
    for each in several:
        name, equals, weight = each.partition("=")
        counter = name.replace("-", "_")
        counter = f"{counter}_tokens" if f"{counter}_tokens" in OBSERVED else counter
        if not equals or counter in weights:
            raise typer.BadParameter(
                f"{each!r} is {'given twice' if equals else 'not a weight'}; "
                "write COUNTER=NUMBER once for each counter, such as output_tokens=5",
                param_hint="--weight",
            )
        weights[counter] = number(weight)
    return weights


def _known(unset: Iterable[str], old: Item) -> list[str]:
    """The attributes to remove, as the item spells them."""
    names = [name if name in old else name.replace("-", "_") for name in unset]
    for name in names:
        if name not in old:
            raise typer.BadParameter(
                f"the item has no attribute {name!r}; it has: {', '.join(sorted(old)) or 'none'}",
                param_hint="--unset",
            )
    return names


_TOLD = {
    LintCode.UNSEEN_MEMBER,
    LintCode.COUNTS_NOTHING,
    LintCode.CLOSES_UNWARNED,
    LintCode.CLOSES_UNCOUNTED,
}


def _kept(edit: StoredEdit) -> Iterator[str]:
    """That a reading of where a team is kept undoes the edit."""
    if KEPT_IN in edit.new and "members" in {each.attribute for each in edit.changes}:
        yield (
            f"it is kept in {edit.new[KEPT_IN]}, and the next reading undoes this; to keep it by "
            f"hand: `quota-enforcer quota set {edit.key} {edit.name} --unset {KEPT_IN}`"
        )


def _notes(deployment: Deployment, rule: Rule, now: datetime) -> Iterator[str]:
    known = (
        {record.principal for record in deployment.ledger.everybody()} if rule.members else set()
    )
    for remark in review([rule], known, now, metered=metered(deployment, [rule])):
        if remark.code in _TOLD:
            yield f"it {remark.words}"
    metering = deployment.settings.metering
    if isinstance(rule, Quota) and rule.by_the_minute:
        yield (
            "its usage is counted by the minute from about now on; what was used before is not "
            "in it"
            if metering is Metering.STREAM
            else "it counts nothing: only Metering=stream counts by the minute"
        )
    if rule.members:
        return
    denies = isinstance(rule, Quota) and rule.action is Action.DENY
    if denies and (why := cannot_deny(deployment, rule)):
        yield f"{why}; it warns and notifies admins"
