"""Quota items: what admins write into the quota table, validated into rules.

Every problem of an item is found at once and named with the attribute, its value and what is
allowed, so that an admin in the DynamoDB console can correct it from the notice alone.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from quota_enforcer.core.errors import InvalidQuota, did_you_mean
from quota_enforcer.core.principal import canonical
from quota_enforcer.core.quotas.form import values, whom
from quota_enforcer.core.quotas.form.leads import (
    KEYS,
    LONGEST_RAISE,
    OF_LEAD,
    LeadKey,
    is_lead_item,
    lead_key,
)
from quota_enforcer.core.quotas.form.limit import quota_of
from quota_enforcer.core.quotas.form.reading import ItemReading
from quota_enforcer.core.quotas.quota import (
    LONGEST_PAUSE,
    Exemption,
    LeadRaise,
    Pause,
    Rule,
    Share,
    Team,
)
from quota_enforcer.core.quotas.subject import (
    DEFAULT,
    GROUPS,
    PAUSE,
    PAUSED_BLOCKS,
    TEAM_ITEM,
    Subject,
    is_team_item,
)

Item = Mapping[str, Any]
"""A quota item as it stands in the table or in a file."""

KEPT_IN = "kept_in"
"""From where the members of a team are read, if somebody does not write them here by hand."""

ATTRIBUTES = (
    "principal", "quota", "measure", "weights", "limit", "window", "resets_on", "models",
    "closes", "regions", "accounts", "warn_at", "action", "overshoot", "unusual", "unknown_prices",
    "enabled", "exempt", "raise_to", "raise_until", "leads_raise_to", "until", "members",
    "share", "kept_in", "note", "edited_by", "edited_at", "schema",
)  # fmt: skip

_CLOCKS_DIFFER = timedelta(minutes=10)
"""So much later a pause may end by our clock."""
_OF_PAUSE = ("principal", "quota", "until", "enabled", "note", "edited_by", "edited_at", "schema")
"""What the item of a pause may say."""
_OF_TEAM = (
    "principal", "quota", "members", KEPT_IN, "enabled", "note", "edited_by", "edited_at", "schema",
)  # fmt: skip
"""What the item of a team may say."""

_LONGEST: Mapping[type[Rule | None], timedelta] = {
    Pause: LONGEST_PAUSE,
    LeadRaise: LONGEST_RAISE,
}
_AGAIN: Mapping[type[Rule | None], str] = {Pause: "pause", LeadRaise: "raise"}

# What may stand there, in words that are put together once and not for each item.
_SUBJECTS = (
    f"user/NAME, role/NAME, sso/NAME, session/ROLE/NAME, team/NAME, session/ROLE/*, "
    f"{', '.join(GROUPS)}; of a member account 444455556666/user/NAME, 444455556666/role/*, "
    "444455556666/*"
)
_SHARES = ", ".join(Share)


def read_quota(item: Item, zone: ZoneInfo, scopes: Collection[str], home: str = "") -> Rule | None:
    """The rule of an item, or None if `enabled` is false: a disabled item counts as absent.

    `scopes` are the installed model scopes, `zone` is that of moments without an offset, and `home`
    the account whose ARNs are of principals without a number.
    Raises InvalidQuota with everything that is wrong.
    """
    return None if item.get("enabled") is False else read_rule(item, zone, scopes, home)


def read_rule(item: Item, zone: ZoneInfo, scopes: Collection[str], home: str = "") -> Rule:
    """The rule of an item, also of a disabled one; raises InvalidQuota as `read_quota` does."""
    return _rule(ItemReading(item, zone, scopes, home))


def bounded(rule: Rule | None, item: Item, now: datetime, reported: str = "") -> Rule | None:
    """The rule of an item; raises InvalidQuota for one whose end is too far from now.

    That is a pause, or a lead's raise. `reported` are the problems that admins were told of. What
    was refused stays so until it says another end: nobody expects that it begins days later, when
    its end has come near enough.
    """
    longest = _LONGEST.get(type(rule))
    if rule is None or rule.until is None or longest is None:
        return rule
    most = "24 hours" if longest.days == 1 else f"{longest.days} days"
    problem = (
        f"until is {values.shown(item['until'])[:200]}; allowed: at most {most} after it is "
        f"written. Write an earlier end, and another {_AGAIN[type(rule)]} before that if you must"
    )
    if rule.until - now > longest + _CLOCKS_DIFFER or problem == reported:
        raise InvalidQuota(str(item["principal"]), str(item["quota"]), [problem])
    return rule


def _rule(reading: ItemReading) -> Rule:
    for unknown in sorted(map(str, set(reading.item) - set(ATTRIBUTES))):
        meant = did_you_mean(unknown, ATTRIBUTES) or f"allowed: {', '.join(ATTRIBUTES)}"
        reading.problems.append(f"attribute {unknown!r} is unknown; {meant}")
    if reading.item.get("principal") == PAUSE:
        return reading.valid(_pause(reading))
    if is_lead_item(reading.item):
        return reading.valid(_lead_raise(reading))
    subject = reading.required("principal", reading.subject, _SUBJECTS, Subject())
    name = reading.required(
        "quota",
        values.name,
        "letters a to z or A to Z, digits, '.', '_' and '-', at most 64",
        "",
    )
    reading.flags()
    if is_team_item(reading.item):
        return reading.valid(_team_item(reading, subject, name))
    if KEPT_IN in reading.item:
        reading.refuse(KEPT_IN, f"only in the item {TEAM_ITEM!r} of a team")
    exempt = reading.optional("exempt", values.boolean, "true or false", default=False)
    until = reading.optional("until", reading.moment, values.MOMENT, None)
    members, share = _team(reading, subject)
    rule: Rule
    if exempt:
        rule = Exemption(subject, name, until, members, share)
    else:
        rule = quota_of(reading, subject, name, until, members, share)
    return reading.valid(rule)


def _pause(reading: ItemReading) -> Pause:
    if reading.item.get("quota") != PAUSED_BLOCKS:
        reading.refuse("quota", PAUSED_BLOCKS)
    reading.refuse_all(
        set(ATTRIBUTES) - set(_OF_PAUSE), "only in a quota: this item pauses all new blocks"
    )
    reading.flags()
    until = reading.required("until", reading.moment, values.MOMENT, None)
    note, by = (str(reading.item.get(each, ""))[:200] for each in ("note", "edited_by"))
    return Pause(PAUSE, PAUSED_BLOCKS, until, note=note, by=by)


def _lead_raise(reading: ItemReading) -> LeadRaise:
    reading.refuse_all(
        set(ATTRIBUTES) - set(OF_LEAD), "not in a raise by a lead: the team's quota says it"
    )
    reading.flags()
    key = lead_key(str(reading.item["principal"]), str(reading.item.get("quota")))
    team = reading.optional("principal", lambda _: reading.subject(key.team), "lead/TEAM", key.team)
    name = reading.required("quota", lambda _: _lead_name(reading, key), KEYS, key)
    to = reading.required("raise_to", values.fraction, values.FRACTIONS, Decimal(0))
    until = reading.required("until", reading.moment, values.MOMENT, None)
    return LeadRaise(
        key.subject, name.name, until, (name.member,), team=team, quota=name.quota, to=to
    )


def _lead_name(reading: ItemReading, key: LeadKey) -> LeadKey:
    """One principal, since a lead raises for members one by one."""
    values.name(key.quota)
    [member] = reading.members(canonical(key.member, reading.home))
    if Subject(member).is_group:
        raise ValueError
    return key._replace(member=member)


def _team_item(reading: ItemReading, subject: Subject, name: str) -> Team:
    reading.refuse_all(
        set(ATTRIBUTES) - set(_OF_TEAM), "only in a quota: this item says who is in the team"
    )
    none: tuple[str, ...] = ()
    reading.optional(KEPT_IN, values.text, "a text, as `quota-enforcer teams pull` writes it", "")
    members = reading.required("members", reading.members, whom.MEMBERS, none)
    return Team(subject, name, None, members)


def _team(reading: ItemReading, subject: Subject) -> tuple[tuple[str, ...], Share]:
    if subject.is_team:
        members: tuple[str, ...] = ()
        allowed = whom.MEMBERS
        if "members" not in reading.item:
            allowed += f", here or in the item {TEAM_ITEM!r} of the team"
        members = reading.required("members", reading.members, allowed, members)
        return members, reading.optional("share", Share, _SHARES, Share.EACH)
    allowed = "only where principal is team/NAME"
    if subject.is_group:
        named = " and ".join(subject.parts if subject == DEFAULT else (subject,))
        allowed += f"; for one limit of {subject} together write a team with member {named}"
    reading.refuse_all(("members", "share"), allowed)
    return (), Share.EACH


class Quotas(Protocol):
    """The quota table, as far as the enforcer reads it."""

    def items(self) -> list[Item]:
        """Every item, consistently read."""
