"""What a simulation found, as tables and as one document."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from rich.text import Text

from quota_enforcer.cli.terminal.output import say
from quota_enforcer.cli.terminal.tables import say_table, styled
from quota_enforcer.core.notices import wording
from quota_enforcer.core.notices.amounts import count, dollars, exact
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import OBSERVED, Counts
from quota_enforcer.core.usage.coverage import Coverage
from quota_enforcer.enforce.report import event
from quota_enforcer.insight.simulate.replay import Simulated, people_refused, refused

_EVENT = ("at", "kind", "quota", "used", "limit", "until")

_COMPARED = ("Refused", "Tokens saved", "Cost saved", "Principals refused")

_LASTS = {NoticeKind.BLOCKED, NoticeKind.CHANGED}

_NUMBERS = (
    "Requests", "Tokens", "Cost", "Assumed", "Warned", "Blocked", "Refused", "Tokens saved",
    "Cost saved",
)  # fmt: skip


class Beside(NamedTuple):
    """What was replayed with stages, and the same calls without."""

    staged: Mapping[Principal, Simulated]
    plain: Mapping[Principal, Simulated]

    def to_json(self) -> dict[str, Any]:
        return {
            "with_closes": _refusals(refused(self.staged)),
            "without_closes": _refusals(refused(self.plain)),
        }

    def rows(self) -> Iterator[tuple[str, ...]]:
        for words, outcomes in (("as they are", self.staged), ("without closes", self.plain)):
            lost = refused(outcomes)
            yield (
                words,
                f"{lost.requests:,}",
                f"{lost.tokens:,}",
                dollars(lost.cost_usd),
                f"{people_refused(outcomes):,}",
            )


def _refusals(refused: Counts) -> dict[str, Any]:
    return {
        "refused_requests": refused.requests,
        "refused_tokens": refused.tokens,
        "refused_cost_usd": exact(refused.cost_usd),
    }


def document(outcome: Simulated) -> dict[str, Any]:
    """One principal as JSON; dollars as text, to the last decimal place."""
    used, refused = outcome.used, outcome.refused
    return {
        "usage": {
            **dict(zip(OBSERVED, used, strict=False)),
            "total_tokens": used.tokens,
            "cost_usd": exact(used.cost_usd),
            "assumed_usd": exact(used.assumed_usd),
        },
        "events": [_event(notice) for notice in outcome.events],
        "refused_requests": refused.requests,
        "refused_tokens": refused.tokens,
        "refused_cost_usd": exact(refused.cost_usd),
        "refused_assumed_usd": exact(refused.assumed_usd),
    }


def _event(notice: Notice) -> dict[str, Any]:
    told = event(notice)
    return {key: told[key] for key in _EVENT}


def show(
    outcomes: Mapping[Principal, Simulated],
    covered: Coverage,
    zone: ZoneInfo,
    beside: Beside | None = None,
) -> None:
    """What happened when, what everybody used, what blocks saved, and what no quota counts."""
    if not outcomes:
        say("No call was counted, so nothing would have happened.")
        return
    notices = sorted(
        (notice for each in outcomes.values() for notice in each.events),
        key=lambda notice: notice.at,
    )
    if notices:
        say_table(("When", "Who", "What", "Why", "Until"), [_row(each, zone) for each in notices])
        say("")
    else:
        say("Nobody would have been warned or blocked.")
    say_table(
        ("Who", *_NUMBERS),
        [(str(who), *_numbers(outcome)) for who, outcome in outcomes.items()],
        numbers=_NUMBERS,
    )
    saved = refused(outcomes)
    if saved.requests:
        say("")
        say(
            f"Blocks would have refused {count(saved.requests, 'request')}: "
            f"{saved.tokens:,} tokens and "
            f"{dollars(saved.cost_usd)} saved, had nobody tried again."
        )
    if beside is not None:
        say("")
        say_table(("Quotas", *_COMPARED), list(beside.rows()), numbers=_COMPARED)
    say("")
    say(covered.words)


def _row(notice: Notice, zone: ZoneInfo) -> tuple[str | Text, ...]:
    return (
        wording.moment(notice.at, zone),
        notice.principal,
        styled(notice.kind),
        notice.reason,
        wording.moment(notice.until, zone) if notice.kind in _LASTS else "",
    )


def _numbers(outcome: Simulated) -> Iterator[str]:
    """The cells of _NUMBERS."""
    used, refused = outcome.used, outcome.refused
    kinds = [str(notice.kind) for notice in outcome.events]
    yield f"{used.requests:,}"
    yield f"{used.tokens:,}"
    yield dollars(used.cost_usd)
    yield dollars(used.assumed_usd) if used.assumed_usd else ""
    yield f"{kinds.count('warning'):,}"
    yield f"{kinds.count('blocked'):,}"
    yield f"{refused.requests:,}"
    yield f"{refused.tokens:,}"
    yield dollars(refused.cost_usd)
