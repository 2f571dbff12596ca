"""One quota item, edited: find it, check it by the enforcer's own rules, write it, report it."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.quotas.preview import (
    DRY_RUN,
    Consent,
    Preview,
    goes_on,
    preview,
    strangers,
)
from quota_enforcer.cli.terminal.names import whom
from quota_enforcer.cli.terminal.output import fail, hint, say, say_json, warn
from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.core.errors import InvalidQuota, NotThere
from quota_enforcer.core.notices import wording
from quota_enforcer.core.principal import Principal, why_not_deniable
from quota_enforcer.core.quotas.diff import AUTHOR, KEYS, Change, changes, shown
from quota_enforcer.core.quotas.form.shorthand import of_two_meanings
from quota_enforcer.core.quotas.item import Item, read_rule
from quota_enforcer.core.quotas.quota import Rule, pause_of
from quota_enforcer.core.quotas.subject import (
    TEAM_ITEM,
    Subject,
    members_by_team,
    with_members,
)
from quota_enforcer.insight.quotas.names import UnknownName

EFFECTIVE = "It takes effect in seconds."
"""Of every edit of the quota table, by any command, but for blocks that the breaker holds."""
OPENS = "What it opens is open in seconds."


def edited(stored: Item | None, given: Mapping[str, Any], unset: Iterable[str]) -> dict[str, Any]:
    gone = set(unset) - set(KEYS)
    kept = {name: value for name, value in (stored or {}).items() if name not in gone}
    return {**kept, **given}


def stored_item(deployment: Deployment, subject: str, name: str) -> tuple[str, Item | None]:
    """The subject as the table spells it, and the item: first as given, then as canonical name."""
    found = deployment.quotas.get(subject, name)
    if found is not None:
        return subject, found
    key = whom(deployment, subject)
    if key != subject and (found := deployment.quotas.get(key, name)) is not None:
        return key, found
    if key.startswith("sso/"):  # only these names have several spellings
        for item in deployment.quotas.items():
            if item["quota"] == name and str(item["principal"]).lower() == key:
                return item["principal"], item
    return key, None


def no_such_item(deployment: Deployment, key: str, name: str, *, to: str) -> NotThere:
    """The error that says which quotas there are instead; `to`: show, remove and so on."""
    theirs = sorted(
        str(item.get("quota")) for item in deployment.quotas.items() if item.get("principal") == key
    )
    has = f"they have: {', '.join(theirs)}" if theirs else "they have none of their own"
    return NotThere(f"there is no quota {name!r} of {key!r} to {to}; {has}")


@dataclass(frozen=True, slots=True)
class StoredEdit:
    """An edit of one item, which may change nothing."""

    key: str
    name: str
    old: Item | None
    new: Item
    rule: Rule
    effect: str = EFFECTIVE
    """When it takes effect, in words."""
    written: bool = False

    @property
    def changes(self) -> list[Change]:
        return changes(self.old, self.new)

    @property
    def made(self) -> bool:
        return self.old is None or bool(self.changes)


def checked_edit(deployment: Deployment, key: str, old: Item | None, new: Item) -> StoredEdit:
    """The edit that puts an item in place of the old one; raises InvalidQuota."""
    return StoredEdit(key, str(new["quota"]), old, new, checked_rule(deployment, new))


def carry_out(
    deployment: Deployment,
    edit: StoredEdit,
    consent: Consent,
    now: datetime,
    *,
    wanted: bool = False,
) -> StoredEdit:
    """Say whom it would block, ask, write and report it; `wanted` is a block that was asked for.

    Raises NobodyToAsk, Abort if the answer is no, or Conflict if somebody else wrote first.
    """
    found, unknown = Preview(), newly_unknown(deployment, edit)
    if not consent.as_json:
        for each in unknown:
            warn(f"{each.words}; this limits nobody until there is one")
    if edit.made:
        found = preview(deployment, {(edit.key, edit.name): edit.new}, now)
        if goes_on(found, consent, wanted=wanted):
            edit = replace(edit, new={**edit.new, AUTHOR: deployment.caller()}, written=True)
            deployment.quotas.put(edit.new, edit.old)
            edit = replace(edit, effect=effect(deployment, found))
    _report(edit, found, unknown, consent)
    return edit


def newly_unknown(deployment: Deployment, edit: StoredEdit) -> list[UnknownName]:
    """Whom the edit names, newly, and IAM does not know."""
    before = frozenset[Principal]()
    if edit.old is not None:
        with suppress(InvalidQuota):
            before = checked_rule(deployment, edit.old).named
    return strangers(deployment, edit.rule.named - before)


def effect(deployment: Deployment, found: Preview) -> str:
    """When an edit takes effect, in words: what a pause or the breaker holds blocks nobody."""
    now = clock.now()
    pause = pause_of(deployment.load(now).rules, now)
    if pause is not None:
        until = wording.moment(pause.until, deployment.settings.zone)
        return f"{OPENS} New blocks are paused until {until}: then it blocks, if it does."
    since = deployment.ledger.state().breaker_since
    if since is not None and not found.by_hand:
        return (
            f"{OPENS} The breaker holds new blocks since "
            f"{wording.moment(since, deployment.settings.zone)}: it lets go at once if few enough "
            "are left, else after `quota-enforcer sweep --confirm-blocks`."
        )
    holds = found.held and not found.observing
    return f"{OPENS} The breaker holds what it would block." if holds else EFFECTIVE


def say_overtaken(names: Iterable[str]) -> None:
    """What of several edits was not written, since somebody else wrote it since the plan."""
    overtaken = sorted(names)
    for name in overtaken:
        fail(f"{name} was changed by somebody else meanwhile, and keeps their change")
    if overtaken:
        hint("Run it again to see what they changed, and to decide.")


def one_meaning(amount: str) -> None:
    """Raises BadParameter for `5.000`: who means five thousand must not get a limit of five."""
    two = of_two_meanings(amount)
    if two:
        raise typer.BadParameter(f"{amount!r} can be read in two ways: write {two}")


def cannot_deny(deployment: Deployment, rule: Rule) -> str | None:
    """Why a rule cannot deny a principal that it names; None if it can deny all of them."""
    if rule.subject.is_group:
        return None
    context = deployment.context(clock.now())
    principals = (Subject(each).somebody for each in rule.members or (rule.subject,))
    reasons = dict.fromkeys(
        why_not_deniable(each, gated=context.gated, reached=context.reached) for each in principals
    )
    return "; ".join(why for why in reasons if why) or None


def checked_rule(deployment: Deployment, item: Item) -> Rule:
    """The item's rule by the enforcer's own reading; raises InvalidQuota."""
    settings = deployment.settings
    scopes = sorted(settings.denies)
    return read_rule(whole(deployment, item), settings.zone, scopes, settings.account)


def whole(deployment: Deployment, item: Item) -> Item:
    """The item; of a team's quota that names no members, with those of the team."""
    team = str(item.get("principal"))
    if not Subject(team).is_team or "members" in item:
        return item
    own = deployment.quotas.get(team, TEAM_ITEM)
    return with_members(item, members_by_team([own] if own else []))


def _report(edit: StoredEdit, found: Preview, unknown: list[UnknownName], consent: Consent) -> None:
    if consent.as_json:
        made = [change.to_json() for change in edit.changes]
        say_json(
            {
                "principal": edit.key,
                "quota": edit.name,
                "changes": made,
                "item": dict(edit.new),
                "written": edit.written,
                "unknown_to_iam": [each.to_json() for each in unknown],
                **found.effects.to_json(),
            }
        )
        return
    if not edit.made:
        say(f"No change: quota {edit.name} of {edit.key} is like that already.")
        return
    if edit.old is None:
        say(f"{'Added' if edit.written else 'Would add'} quota {edit.name} of {edit.key}:")
        say_table(("Attribute", "Value"), [(c.attribute, shown(c.new)) for c in edit.changes])
    else:
        say(f"{'Changed' if edit.written else 'Would change'} quota {edit.name} of {edit.key}:")
        rows = [(c.attribute, shown(c.old), shown(c.new)) for c in edit.changes]
        say_table(("Attribute", "Old", "New"), rows)
    if edit.written:
        hint(edit.effect)
    else:
        say(DRY_RUN)
