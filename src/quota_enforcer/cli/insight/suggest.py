"""`suggest`: which limit would have blocked at most so many, by what was really used."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.quotas.edit import stored_item
from quota_enforcer.cli.terminal.errors import NotYet
from quota_enforcer.cli.terminal.options import AsJson, Name, on_deployment
from quota_enforcer.cli.terminal.output import echo, hint, how_far, say, say_json
from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.errors import InvalidQuota
from quota_enforcer.core.notices.amounts import bare_limit, count, dollars, exact, listed
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.form.shorthand import item_form
from quota_enforcer.core.quotas.item import read_rule
from quota_enforcer.core.quotas.quota import Action, Quota
from quota_enforcer.core.quotas.subject import DEFAULT, members_by_team, with_members
from quota_enforcer.core.usage.counts import NO_MONEY
from quota_enforcer.core.usage.stored import USAGE_KEPT
from quota_enforcer.core.usage.window import Unit, local_date
from quota_enforcer.insight.quotas.suggest import (
    PastWindows,
    SuggestedLimit,
    TriedLimit,
    first_day,
    limits,
    past_windows,
    whom_it_covers,
)
from quota_enforcer.insight.quotas.suggest import (
    suggest as suggested_by,
)
from quota_enforcer.insight.status import everybody

_NAMED: Final = {"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month"}
_OF_A_WHILE: Final = ("raise_to", "raise_until", "until", "enabled")
"""What says nothing of the limit that is asked for."""
_ELSE: Final = "choose another name, or another --for"
_SHOWN: Final = 3
"""So many of the blocked are named in a row."""


@on_deployment
def suggest(  # noqa: PLR0913 - one argument for each option
    deployment: Deployment,
    name: Name,
    *,
    blocks_at_most: Annotated[
        int,
        typer.Option(min=0, help="So many principals may be blocked, once or more often."),
    ],
    measure: Annotated[
        str | None,
        typer.Option(metavar="MEASURE", help="What is counted. Default: as stored, or cost_usd."),
    ] = None,
    window: Annotated[
        str | None,
        typer.Option(
            metavar="WINDOW",
            help="hour, day, week or month. Default: as stored, or as the name says, or day.",
        ),
    ] = None,
    subject: Annotated[
        str,
        typer.Option("--for", metavar="SUBJECT", help="Whom the quota is to cover."),
    ] = DEFAULT,
    days: Annotated[
        int,
        typer.Option(min=1, max=USAGE_KEPT.days, help="How many days to go by, today among them."),
    ] = 30,
    as_json: AsJson = False,
) -> None:
    """Suggest the limit that would have blocked at most so many principals lately.

    Each window of these days is judged by the rule that blocks, as it was at
    its end. Who has a nearer quota of this name is left out, as always. The
    table shows the suggested limit among smaller and larger ones, and last
    comes the command that sets it; nothing is written.

    Examples:
      quota-enforcer suggest daily --blocks-at-most 3
      quota-enforcer suggest monthly --blocks-at-most 0 --for 'user/*' --days 90
      quota-enforcer suggest hourly --blocks-at-most 5 --measure total_tokens
    """
    context = deployment.context(clock.now())
    given = {key: text for key, text in (("measure", measure), ("window", window)) if text}
    plan = _planned(deployment, subject, name, given)
    first = first_day(plan.quota, days, context)
    usages, others = _read(deployment, plan.quota, first, context)
    past = past_windows(plan.quota, usages, first, context)
    found = _found(past, plan.quota, blocks_at_most, first)
    asked = _Asked(plan, blocks_at_most, first, local_date(context.now, context.zone), others)
    if as_json:
        say_json(_document(asked, past, found))
        return
    _say(asked, past, found, context)
    if deployment.settings.mode is Mode.ENFORCE:
        hint("Where today's quotas blocked somebody, they would have used more without them.")


@dataclass(frozen=True, slots=True)
class _Plan:
    """The quota that is to get a limit, and what `quota set` must be told beside it."""

    quota: Quota
    stored: bool
    said: Mapping[str, str]

    def command(self, limit: TriedLimit) -> str:
        words = ["quota-enforcer", "quota", "set", str(self.quota.subject), self.quota.name]
        for option, value in {**self.said, "limit": exact(limit.limit)}.items():
            words += [f"--{option}", value]
        return shlex.join(words)


@dataclass(frozen=True, slots=True)
class _Asked:
    plan: _Plan
    most: int
    first: date
    last: date
    others: int
    """How many are known whom the quota does not cover."""


def _planned(deployment: Deployment, subject: str, name: str, given: Mapping[str, str]) -> _Plan:
    """The stored quota with what was given, or a new one. Raises InvalidQuota."""
    settings = deployment.settings
    key, stored = stored_item(deployment, subject, name)
    old = {each: value for each, value in (stored or {}).items() if each not in _OF_A_WHILE}
    if "unusual" in old:
        raise InvalidQuota(key, name, [f"it goes by what is usual; {_ELSE}"])
    new = {"measure": "cost_usd", "window": _NAMED.get(name, "day")} if stored is None else {}
    said = item_form({**new, **given}, old)
    item = {**old, **said, "principal": key, "quota": name, "limit": 1}
    whole = with_members(item, members_by_team(deployment.quotas.items()))
    rule = read_rule(whole, settings.zone, sorted(settings.denies), settings.account)
    if not isinstance(rule, Quota):
        raise InvalidQuota(key, name, [f"it is no limit, but an exemption or the like; {_ELSE}"])
    problem = ""
    if rule.window.rolling:
        problem = (
            f"window is {str(rule.window)!r}, and a rolling window has no past windows to count; "
            "allowed: --window hour, day, week or month"
        )
    elif rule.pooled:
        problem = (
            "share is 'pool', so its limit blocks all members at once, or nobody; "
            f"`quota-enforcer usage {key} --by day` shows what they use together"
        )
    if problem:
        raise InvalidQuota(key, name, [problem])
    return _Plan(rule, stored is not None, {each: str(value) for each, value in said.items()})


def _read(
    deployment: Deployment, quota: Quota, first: date, context: Context
) -> tuple[Mapping[Principal, Any], int]:
    """The usage of those whom the quota would cover, and how many others there are."""
    rules = deployment.load(context.now).rules
    known = [each.principal for each in everybody(deployment.ledger.everybody(), rules)]
    covered = whom_it_covers(quota, rules, known, context.now)
    hours_from = first if quota.window.unit is Unit.HOUR else None
    with how_far(f"Reading the usage of {len(covered):,} principals") as told:
        usages = deployment.usages(dict.fromkeys(covered, first), hours_from, told)
    return usages, len(known) - len(covered)


def _found(past: PastWindows, quota: Quota, most: int, first: date) -> SuggestedLimit:
    """Raises NotYet where usage says nothing of which limit is right."""
    if not past.days:
        raise NotYet(
            f"the ledger has no usage since {first} of anybody whom quota {quota.name!r} of "
            f"{quota.subject} would cover, so there is nothing to go by: look further back with "
            "--days, at others with --for, or wait; `quota-enforcer doctor` says whether usage "
            "arrives"
        )
    found = suggested_by(past, quota.measure, most)
    if found is None:
        smallest = bare_limit(next(limits(quota.measure)), quota.measure.words)
        raise NotYet(
            f"any limit would do: even {smallest} would have blocked no more than {most:,} of the "
            f"{count(len(past.verdicts), 'principal')} with usage since {first}; give a smaller "
            "--blocks-at-most, or look further back with --days" + _why_assumed(past)
        )
    return found


def _why_assumed(past: PastWindows) -> str:
    assumed = _assumed(past)
    return f" ({dollars(assumed)} is at assumed prices, which only warn)" if assumed else ""


def _assumed(past: PastWindows) -> Any:
    """What counts towards no block since its price is only assumed."""
    return sum(
        (each.used - each.sure for several in past.verdicts.values() for each in several), NO_MONEY
    )


def _say(asked: _Asked, past: PastWindows, found: SuggestedLimit, context: Context) -> None:
    quota = asked.plan.quota
    words, unit = quota.measure.words, str(quota.window.unit)
    say(
        f"Limits of {words} a {unit} for {quota.subject}, by {count(past.days, 'day')} with usage "
        f"from {asked.first} to {asked.last}, {context.zone}"
    )
    whole = len(past.verdicts)
    say_table(
        ("Limit", "Blocked", "Times", "Usage above", f"Who, in how many {unit}s"),
        [
            (
                bare_limit(each.limit, words),
                f"{len(each.blocked):,} of {whole:,}",
                f"{each.times:,}",
                f"{each.above} %",
                _who(each),
            )
            for each in found.all
        ],
        numbers={"Limit", "Blocked", "Times", "Usage above"},
    )
    for line in _sentences(asked, past, found):
        say(line)
    echo(asked.plan.command(found.chosen))
    if past.since is not None and past.since > asked.first:
        hint(f"The first usage is of {past.since}; what was not recorded before is no zero.")
    if assumed := _assumed(past):
        hint(f"{dollars(assumed)} is at assumed prices, which only warn. Why: quota-enforcer "
             "prices check")  # fmt: skip
    if asked.others:
        hint(f"{count(asked.others, 'other')} known, not covered by this quota: not of "
             f"{quota.subject}, or with a nearer quota of this name.")  # fmt: skip


def _who(of: TriedLimit) -> str:
    return listed([f"{who} {times:,}" for who, times in of.blocked.items()], _SHOWN) or "nobody"


def _sentences(asked: _Asked, past: PastWindows, found: SuggestedLimit) -> Iterator[str]:
    quota, whole = asked.plan.quota, count(len(past.verdicts), "principal")
    would = "blocked" if quota.action is Action.DENY else "warned of (it only notifies)"
    chosen, below = found.chosen, found.smaller[-1]
    limit, less = (bare_limit(each.limit, quota.measure.words) for each in (chosen, below))
    yield (
        f"Suggested: {limit}. Of {whole} it would have {would} {len(chosen.blocked):,}, once or "
        f"more often; {less} would have {would} {len(below.blocked):,}. To set it:"
    )


def _document(asked: _Asked, past: PastWindows, found: SuggestedLimit) -> dict[str, Any]:
    quota = asked.plan.quota
    return {
        "quota": quota.name,
        "for": str(quota.subject),
        "measure": quota.measure,
        "window": str(quota.window),
        "blocks_at_most": asked.most,
        "from": str(asked.first),
        "to": str(asked.last),
        "days_with_usage": past.days,
        "first_usage": past.since,
        "principals": len(past.verdicts),
        "others": asked.others,
        "assumed_usd": _assumed(past),
        "suggested": found.chosen.limit,
        "candidates": [
            {
                "limit": each.limit,
                "principals_blocked": len(each.blocked),
                "times": each.times,
                "percent_above": exact(each.above),
                "blocked": {str(who): times for who, times in each.blocked.items()},
            }
            for each in found.all
        ],
        "command": asked.plan.command(found.chosen),
    }
