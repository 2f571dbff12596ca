"""`quota set`: add or change a quota item, checked by the enforcer's own rules."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from quota_enforcer.cli.deployment import Deployment
from quota_enforcer.cli.options import AsJson, Name, Whom, on_deployment
from quota_enforcer.cli.output import hint, say, say_json, say_table
from quota_enforcer.cli.quota_edit import AUTHOR, Change, changes, edited, number, shown
from quota_enforcer.cli.quota_store import check, stored
from quota_enforcer.core.principal import Principal, cannot_be_denied
from quota_enforcer.core.quota import Action, Quota, Rule
from quota_enforcer.core.quota_item import KINDS, Item

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
    whom: Whom,
    name: Name,
    *,
    measure: Annotated[
        str | None, _option(_RULE, "MEASURE", "What is counted, such as total_tokens.")
    ] = None,
    weight: Annotated[
        Several, _option(_RULE, "COUNTER=NUMBER", "For weighted_tokens, all of them; repeatable.")
    ] = None,
    limit: Annotated[
        str | None, _option(_RULE, "NUMBER", "How much: 1000000, 1_000_000, or 12.50 dollars.")
    ] = None,
    window: Annotated[
        str | None, _option(_RULE, "WINDOW", "hour, day, week, month or 'rolling 24 hours'.")
    ] = None,
    resets_on: Annotated[
        str | None, _option(_RULE, "DAY", "Day of the week or of the month to begin on.")
    ] = None,
    model: Annotated[
        Several, _option(_RULE, "SCOPE", "A model scope; repeatable. Default: all models.")
    ] = None,
    warn_at: Annotated[
        Several, _option(_RULE, "PERCENT", "When to warn; repeatable. Default: 80.")
    ] = None,
    action: Annotated[str | None, _option(_RULE, "ACTION", "deny (the default) or notify.")] = None,
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
    member: Annotated[Several, _option(_TEAM, "PRINCIPAL", "One of the team; repeatable.")] = None,
    share: Annotated[
        str | None, _option(_TEAM, "SHARE", "each has this quota, or all share one: pool.")
    ] = None,
    enabled: Annotated[
        bool | None,
        typer.Option("--enable/--disable", help="Whether it counts.", rich_help_panel=_ITEM),
    ] = None,
    note: Annotated[str | None, _option(_ITEM, "TEXT", "For whoever reads it later.")] = None,
    unset: Annotated[Several, _option(_ITEM, "ATTRIBUTE", "What to take out; repeatable.")] = None,
    as_json: AsJson = False,
) -> None:
    r"""Add a quota, or change just the given attributes of one that is there.

    Moments are written 2026-12-01 or 2026-12-01T09:00, in the deployment's
    time zone.

    Examples:
      quota-enforcer quota set default daily \
          --measure total_tokens --limit 2_000_000 --window day
      quota-enforcer quota set user/alice daily \
          --raise-to 5_000_000 --raise-until 2026-12-01
      quota-enforcer quota set role/ci monthly \
          --measure requests --limit 10000 --window month
      quota-enforcer quota set user/alice budget \
          --measure cost_usd --limit 12.50 --window month
      quota-enforcer quota set user/alice weighted --window day \
          --measure weighted_tokens --limit 1_000_000 \
          --weight input_tokens=1 --weight output_tokens=5
    """
    given: dict[str, Any] = {
        "measure": measure,
        "weights": weight and _weights(weight),
        "limit": limit and number(limit),
        "window": window,
        "resets_on": resets_on and number(resets_on),
        "models": model,
        "warn_at": warn_at and [number(each) for each in warn_at],
        "action": action,
        "unknown_prices": unknown_prices,
        "enabled": enabled,
        "exempt": exempt,
        "raise_to": raise_to and number(raise_to),
        "raise_until": raise_until,
        "until": until,
        "members": member,
        "share": share,
        "note": note,
    }
    given = {name: value for name, value in given.items() if value not in (None, [])}
    key, old = stored(deployment, whom, name)
    new = edited(old, {**given, "principal": key, "quota": name}, _known(unset or [], old or {}))
    rule = check(deployment, new)
    made = changes(old, new)
    if made or old is None:
        new[AUTHOR] = deployment.caller()
        deployment.quotas.put(new, old)
    if as_json:
        say_json({"principal": key, "quota": name, "changes": _as_json(made), "item": new})
        return
    _say_changes(key, name, old, made)
    if made or old is None:
        hint(_consequence(rule, gated=bool(deployment.settings.author)))


def _weights(several: Iterable[str]) -> dict[str, Any]:
    """`output_tokens=5` as an item has it; the numbers are left for validation."""
    weights: dict[str, Any] = {}
    for each in several:
        name, equals, weight = each.partition("=")
        counter = name.replace("-", "_")
        if not equals or counter in weights:
            raise typer.BadParameter(
                f"{each!r} is {'said twice' if equals else 'no weight'}; "
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


def _say_changes(key: str, name: str, old: Item | None, made: Iterable[Change]) -> None:
    if old is None:
        say(f"Added quota {name} of {key}:")
        say_table(("Attribute", "Value"), [(c.attribute, shown(c.new)) for c in made])
        return
    rows = [(c.attribute, shown(c.old), shown(c.new)) for c in made]
    if not rows:
        say(f"No change: quota {name} of {key} is like that already.")
        return
    say(f"Changed quota {name} of {key}:")
    say_table(("Attribute", "Old", "New"), rows)


def _consequence(rule: Rule, *, gated: bool) -> str:
    """What an admin should know about the rule just written."""
    words = "It takes effect in seconds."
    denies = isinstance(rule, Quota) and rule.action is Action.DENY
    if not denies or rule.whom in KINDS or "*" in rule.whom:
        return words
    whom = map(Principal.parse, rule.members or (rule.whom,))
    reasons = dict.fromkeys(cannot_be_denied(each, gated=gated) for each in whom)
    return words + "".join(f"\nNote: {why}; it warns and tells admins" for why in reasons if why)


def _as_json(made: Iterable[Change]) -> list[dict[str, Any]]:
    return [{"attribute": c.attribute, "old": c.old, "new": c.new} for c in made]
