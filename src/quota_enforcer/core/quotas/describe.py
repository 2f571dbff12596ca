"""Rules in words: what they grant, to whom, and what becomes of it."""

from quota_enforcer.cli.quotas.edit import terms
from quota_enforcer.core.quotas.quota import Action, Quota, Rule, UnknownPrices
from quota_enforcer.core.usage.model import EVERY_MODEL


def granted(rule: Rule) -> str:
    """What a rule grants, with models and members: `1,000 requests per day, pool of 2 members`."""
    words = terms(rule)
    if isinstance(rule, Quota) and rule.models != (EVERY_MODEL,):
        words += f" of {', '.join(map(str, rule.models))}"
    if rule.members:
        words += f", {rule.share} of {len(rule.members)} members"
    return words


def reads(rule: Rule) -> str:
    """The same with what becomes of it: `1,000 requests per day; warns at 80 %, then denies`."""
    if not isinstance(rule, Quota):
        return f"{granted(rule)} of this name"
    if not rule.limit and rule.action is Action.DENY:
        return f"{granted(rule)}: a block"
    percent = ", ".join(f"{at} %" for at in rule.warn_at)
    then = "denies" if rule.action is Action.DENY else "only notifies"
    if rule.unknown_prices is UnknownPrices.DENY:
        then += ", at assumed prices too"
    return f"{granted(rule)}; {f'warns at {percent}, then ' if percent else ''}{then}"
