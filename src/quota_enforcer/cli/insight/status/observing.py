"""What observe mode kept from being blocked lately, so that an admin can switch with numbers."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from quota_enforcer.cli.terminal.output import hint, say
from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.cli.terminal.when import weekday_moment
from quota_enforcer.core.deployment import Breaker, Context, Mode
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.notices.amounts import lasting
from quota_enforcer.core.notices.notice import Notice
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.subject import QuotaId, Subject
from quota_enforcer.decide.breaker import NewBlock, judge_wave
from quota_enforcer.insight.quotas.blocks import Tally, tally, would_have_been
from quota_enforcer.insight.status import State, StatusRow


@dataclass(frozen=True, slots=True)
class Observed:
    """The blocks that there would have been in the last days, longest first."""

    days: int
    tallies: tuple[Tally, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "days": self.days,
            "blocks": [
                {
                    "principal": each.principal,
                    "quota": each.quota,
                    "whom": each.subject,
                    "times": each.times,
                    "first": each.first,
                    "seconds": int(each.lasted.total_seconds()),
                    "since": each.since,
                }
                for each in self.tallies
            ],
        }


def first_moment(context: Context, days: int) -> datetime:
    return context.now - timedelta(days=days)


def tallied(
    history: Iterable[Notice], records: Iterable[Record], context: Context, days: int
) -> Observed:
    """From the history (blocks that ended) and the records (blocks that would still last)."""
    standings = {str(record.principal): record.standing for record in records}
    theirs = (notice for notice in history if notice.principal in standings)
    blocks = would_have_been(theirs, standings)
    tallies = tally(blocks, first_moment(context, days), context.now)
    longest = sorted(tallies, key=lambda each: each.lasted, reverse=True)
    return Observed(days, tuple(longest))


def say_observed(found: Observed, context: Context, limit: int | None) -> None:
    span = f"in the last {found.days} days" if found.days != 1 else "in the last day"
    if not found.tallies:
        say(f"\nNobody would have been blocked {span}, as far as the history goes back.")
        return
    say(f"\nWould have been blocked {span}, had the mode been enforce:")
    say_table(
        ("Principal", "Quota", "Times", "First", "For", "Would be now"),
        [
            (
                each.principal,
                each.quota,
                f"{each.times:,}",
                weekday_moment(each.first, context.zone),
                lasting(each.lasted),
                "" if each.since is None else f"since {weekday_moment(each.since, context.zone)}",
            )
            for each in found.tallies[:limit]
        ],
        numbers={"Times"},
        narrow={"First": 14, "Would be now": 14},
    )
    if limit is not None and len(found.tallies) > limit:
        hint(f"{len(found.tallies) - limit:,} more: --limit 0 shows all.")


def in_words(each: Tally, days: int, context: Context) -> str:
    """`3 times in the last 7 days, first Mon 2026-11-16 10:12 CET, for 14 h`, and since when."""
    often = "once" if each.times == 1 else f"{each.times:,} times"
    span = "day" if days == 1 else f"{days} days"
    words = (
        f"{often} in the last {span}, first {weekday_moment(each.first, context.zone)}, "
        f"for {lasting(each.lasted)}"
    )
    if each.since is None:
        return words
    return f"{words}, and would be now, since {weekday_moment(each.since, context.zone)}"


def hint_at_switching(
    table: Collection[StatusRow],
    everybody: Iterable[Principal],
    breaker: Breaker,
    context: Context,
) -> None:
    """What would happen if the mode were switched to enforce now."""
    if context.mode is not Mode.OBSERVE:
        return
    would = [row for row in table if row.state is State.WOULD_BE_BLOCKED]
    now = {row.principal for row in would}
    words = "In observe mode nobody is blocked; the stack's parameter Mode switches to enforce"
    if now:
        words += f", which would block {len(now):,} at once"
    hint(f"{words}.")
    shared = {(row.whom, row.quota) for row in would if row.principal == row.whom}
    blocks = [
        NewBlock(
            Principal.parse(row.principal),
            str(QuotaId(Subject(row.whom), row.quota)),
            row.percent or 0,
            row.whom if Subject(row.whom).is_team and (row.whom, row.quota) in shared else "",
        )
        for row in would
        if row.limit or Subject(row.whom).is_group
    ]
    if judge_wave(blocks, (), everybody, breaker).trips:
        hint(
            f"So many trip the breaker (more than {breaker.number} and {breaker.percent} % of "
            "all): confirm with `quota-enforcer sweep --confirm-blocks` once you have switched."
        )
