"""Rules in words: what they grant, to whom, and what becomes of it."""

from quota_enforcer.core.notices import amounts
from quota_enforcer.core.quotas.quota import (
    Action,
    Exemption,
    LeadRaise,
    Pause,
    Quota,
    Rule,
    Team,
    UnknownPrices,
)
from quota_enforcer.core.usage.counts import OBSERVED, Measure
from quota_enforcer.core.usage.model import EVERY_MODEL
from quota_enforcer.core.usage.place import EVERYWHERE

CLOSES = "in every Region and account"
"""Where a deny closes, whatever places its quota counts."""


def granted_amount(rule: Rule) -> str:
    """What a rule grants: `1,000 total tokens per day`."""
    match rule:
        case Quota():
            words = f"{amounts.limit_of(rule.limit, rule.measure.words)} per {rule.window}"
            if rule.unusual is not None:
                words = f"{amounts.number(rule.unusual)} times what is usual, at least {words}"
            return f"{words} ({_weighed(rule)})" if rule.weights else words
        case Exemption():
            return "no limit"
        case Team():
            return "who is in the team"
        case Pause():
            return "no new blocks"
        case LeadRaise():
            return f"{amounts.number(rule.to)} as the limit of {rule.quota}"
        case _:
            raise AssertionError(
                f"a rule is a quota, exemption, team, pause or raise, not {rule!r}"
            )


def _weighed(quota: Quota) -> str:
    """`input tokens x 1, output tokens x 5`."""
    weighs = zip(OBSERVED, quota.weights, strict=True)
    return ", ".join(
        f"{Measure(counter).words} x {amounts.number(weight)}"
        for counter, weight in weighs
        if weight
    )


def named(rule: Rule) -> str:
    """`daily of user/*: 1,000 total tokens per day`."""
    return f"{rule.name} of {rule.subject}: {granted_amount(rule)}"


def granted(rule: Rule) -> str:
    """What a rule grants, with models and members: `1,000 requests per day, pool of 2 members`."""
    words = granted_amount(rule)
    if isinstance(rule, Quota) and rule.models != (EVERY_MODEL,):
        words += f" of {', '.join(map(str, rule.models))}"
    if isinstance(rule, Quota) and rule.places != EVERYWHERE:
        words += f", used {rule.places}"
    if isinstance(rule, Team):
        return f"{words}: {_members(rule)}"
    if isinstance(rule, LeadRaise):
        return f"{words} of {rule.team} for {rule.members[0]}"
    if rule.members:
        words += f", {rule.share} of {_members(rule)}"
    return words


def closing(quota: Quota) -> str:
    """What it closes if that is not what it counts: ` X at 80 %, everything at the limit`."""
    if not quota.stages and not quota.closes:
        return ""
    early = (f"{each}, " for each in quota.stages)
    at_limit = f"{quota.closed_words}{' at the limit' if quota.stages else ''}"
    return f" {''.join(early)}{at_limit}"


def _members(rule: Rule) -> str:
    """`2 members`, `everybody of 444455556666/* and 1 more`."""
    groups = sorted(rule.groups)
    others = len(rule.members) - len(groups)
    if not groups:
        return f"{others} members"
    words = f"everybody of {', '.join(groups)}"
    return f"{words} and {others} more" if others else words


def in_full(rule: Rule) -> str:
    """What a rule grants and does: `1,000 requests per day; warns at 80 %, then denies`."""
    if isinstance(rule, Team):
        return f"{granted(rule)}, for every quota of it that names none"
    if isinstance(rule, Pause):
        return granted(rule)
    if isinstance(rule, LeadRaise):
        return f"{granted(rule)}, as far as that quota lets its leads raise it"
    if not isinstance(rule, Quota):
        return f"{granted(rule)} of this name"
    if not rule.limit and rule.action is Action.DENY:
        closes = f" {CLOSES}" if rule.places != EVERYWHERE else ""
        return f"{granted(rule)}: a block{closes}"
    percent = ", ".join(f"{at} %" for at in rule.warn_at)
    then = "denies" if rule.action is Action.DENY else "only notifies"
    then += closing(rule)
    if rule.avoids_overshoot:
        then += " before the limit, so that it is not passed"
    if rule.action is Action.DENY and rule.places != EVERYWHERE:
        then += f" {CLOSES}"
    if rule.unknown_prices is UnknownPrices.DENY:
        then += ", at assumed prices too"
    return f"{granted(rule)}; {f'warns at {percent}, then ' if percent else ''}{then}"
