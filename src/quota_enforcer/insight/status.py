"""Status: records, usage and quotas of many principals in rows, decided as a sweep would."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import Record, SweepState
from quota_enforcer.core.notices.wording import moment
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Rule, named_by
from quota_enforcer.core.quotas.subject import QuotaId
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.counts import Measure, Number
from quota_enforcer.core.usage.model import EVERY_MODEL
from quota_enforcer.core.usage.window import Unit, Window
from quota_enforcer.decide.decision import HELD, PAUSED, Decision
from quota_enforcer.decide.evaluate import Evaluation, Pools, evaluate
from quota_enforcer.decide.judgement import Effect, Judgement, by_item
from quota_enforcer.decide.verdict import Verdict
from quota_enforcer.insight.usage import ReadBefore


class State(StrEnum):
    """Where a principal is with one quota; what matters most comes first."""

    BLOCKED = "blocked"
    COULD_NOT_BE_BLOCKED = "could not be blocked"
    WOULD_BE_BLOCKED = "would be blocked"
    OVER = "over"
    WARNED = "warned"
    OK = "ok"
    NO_QUOTA = "no quota"

    @property
    def place(self) -> int:
        """How many states are more urgent: every table is sorted by it."""
        return _PLACE[self]


_PLACE = {state: place for place, state in enumerate(State)}

IS_OVER = frozenset(State) - {State.WARNED, State.OK, State.NO_QUOTA}
"""The states of a quota that is used up, or still blocks."""


class StatusRow(NamedTuple):
    """One principal and one quota that applies to it; `quota` is empty if none does.

    `limit` is None without one. `since` and `until` belong to a block: until None it lasts
    until an admin changes the quota. `resets_at` is None for a rolling window that is not used up.
    `cost_usd` is what the usage that the quota counts has cost, whatever its measure, `assumed_usd`
    the part of it at assumed prices (None: the quota no longer applies), `saved_usd` what reads of
    the prompt cache saved of it, and `unpriced` the models of a quota on money that assumed prices
    are for. Without `regions` or `accounts` it counts all of them.
    """

    principal: str
    quota: str
    whom: str
    measure: str
    window: str
    used: Number
    limit: Decimal | None
    percent: int | None
    state: State
    why: str = ""
    since: datetime | None = None
    until: datetime | None = None
    resets_at: datetime | None = None
    cost_usd: Decimal | None = None
    assumed_usd: Decimal | None = None
    saved_usd: Decimal | None = None
    unpriced: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()

    @property
    def about(self) -> str:
        """`~` before money that is partly assumed."""
        return "~" if self.measure == Measure.COST_USD and self.assumed_usd else ""


CLOSED_EARLY = "closed before its limit, so that it is not passed"
NEXT_BLOCKS = "the next sweep blocks"
"""What becomes of a quota that is used up and does not deny yet."""


def rows(record: Record, decision: Decision, state: SweepState) -> Iterator[StatusRow]:
    """One row for each quota that applies, and for each that still blocks but applies no longer.

    Of what closes in stages the row shows the whole limit, and the state of the stage that acts.
    """
    now = decision.context.now
    for stages in by_item(decision.judgements):
        judgement = acting(record, stages)
        row = _row(record, stages[-1], judgement)
        held = row.why == NEXT_BLOCKS and judgement.id in record.standing.held
        held = held and state.breaker_since is not None
        if row.why == NEXT_BLOCKS and state.paused_until and state.paused_until > now:
            row = row._replace(why=PAUSED)
        row = row._replace(why=HELD) if held else row
        since = stages[-1].verdict.counted_from
        if since is not None and row.state is State.OK:  # else it is over, or near it, for sure
            counted = moment(since, decision.context.zone)
            row = row._replace(
                why=row.why or f"counted by the minute since {counted} at the latest"
            )
        yield _with_stage(row, judgement)
    if not record.standing.used_up or record.trouble or record.intended is not None:
        return
    applying = {each.id for each in decision.judgements}
    for id_ in sorted(record.standing.used_up.keys() - applying):
        quota = QuotaId.parse(id_)
        yield StatusRow(
            str(record.principal), quota.label, quota.subject, "", "", 0, None, None, State.BLOCKED,
            "the quota no longer applies; the next sweep lifts the block",
            since=record.standing.blocked_since,
        )  # fmt: skip


def everybody(known: Iterable[Record], rules: Iterable[Rule]) -> list[Record]:
    """The records of all principals that the ledger knows or a rule names, sorted."""
    records = {record.principal: record for record in known}
    for principal in named_by(rules):
        records.setdefault(principal, Record(principal))
    return [records[principal] for principal in sorted(records)]


def by_urgency(several: Iterable[StatusRow]) -> list[StatusRow]:
    """What matters most first, with the rows of one principal together."""
    of_each: defaultdict[str, list[StatusRow]] = defaultdict(list)
    for row in several:
        of_each[row.principal].append(row)
    for rows_ in of_each.values():
        rows_.sort(key=urgency)
    ordered = sorted(
        of_each.values(), key=lambda rows_: (urgency(rows_[0])[:2], rows_[0].principal)
    )
    return [row for rows_ in ordered for row in rows_]


def urgency(row: StatusRow) -> tuple[int, int, str]:
    """Orders rows: the worst state first, then the fullest."""
    return row.state.place, -(row.percent or 0), row.quota


def unlimited(principal: Principal, usage: Usage, context: Context) -> StatusRow:
    """The row of a principal that no quota covers: what it used today."""
    span = Window(Unit.DAY).span(context.now, context.zone)
    counts = usage.within(span, [EVERY_MODEL])
    return StatusRow(
        str(principal),
        "",
        "",
        Measure.TOTAL_TOKENS,
        "day",
        Measure.TOTAL_TOKENS.of(counts),
        None,
        None,
        State.NO_QUOTA,
        resets_at=span.end,
        cost_usd=counts.cost_usd,
        assumed_usd=counts.assumed_usd,
        saved_usd=counts.saved_usd,
    )


def acting(record: Record, stages: Sequence[Judgement]) -> Judgement:
    """The stage that closes something, or did last; the whole quota if none does."""
    if len(stages) == 1:
        return stages[0]
    return min(reversed(stages), key=lambda each: _state(record, each)[0].place)


def _row(record: Record, whole: Judgement, judgement: Judgement) -> StatusRow:
    """`judgement` is that of the stage that acts."""
    verdict, acts = whole.verdict, judgement.verdict
    quota = verdict.quota
    state, why = _state(record, judgement)
    fixed_end = None if quota.window.rolling else verdict.span.end
    blocked = state is State.BLOCKED
    return StatusRow(
        str(record.principal),
        quota.name,
        quota.subject,
        quota.measure,
        str(quota.window),
        verdict.used,
        verdict.limit if verdict.limit.is_finite() else None,
        verdict.percent if verdict.limit.is_finite() else None,
        state,
        why,
        since=record.standing.blocked_since if blocked else None,
        until=acts.frees_at if blocked else None,
        resets_at=acts.frees_at if acts.closes else fixed_end,
        cost_usd=verdict.counts.cost_usd,
        assumed_usd=verdict.counts.assumed_usd,
        saved_usd=verdict.counts.saved_usd,
        unpriced=verdict.unpriced,
        regions=quota.places.regions,
        accounts=quota.places.accounts,
    )


def _with_stage(row: StatusRow, acts: Judgement) -> StatusRow:
    """With which part of the models an early stage closes."""
    quota = acts.verdict.quota
    if not quota.is_early:
        return row
    stage = f"from {quota.percent} % on it closes {quota.closed_words}"
    return row._replace(why=f"{stage}; {row.why}" if row.why else stage)


def _state(record: Record, judgement: Judgement) -> tuple[State, str]:
    """The state, and in words what the state alone does not say."""
    in_iam = judgement.id in record.standing.used_up and record.intended is None
    if judgement.verdict.closes:
        return _over(record, judgement, in_iam=in_iam)
    if in_iam and not record.trouble:
        return State.BLOCKED, "no longer used up; the next sweep lifts the block"
    return (State.WARNED if judgement.verdict.threshold else State.OK), ""


def _over(record: Record, judgement: Judgement, *, in_iam: bool) -> tuple[State, str]:
    early = CLOSED_EARLY if judgement.verdict.early_since is not None else ""
    match judgement.effect:
        case Effect.NONE:
            return State.OVER, judgement.why
        case Effect.UNREACHABLE:
            return State.COULD_NOT_BE_BLOCKED, judgement.why
        case Effect.OBSERVED:
            return State.WOULD_BE_BLOCKED, early
        case Effect.DENY:
            if record.trouble:
                return State.COULD_NOT_BE_BLOCKED, record.trouble
            return (State.BLOCKED, early) if in_iam else (State.OVER, NEXT_BLOCKS)


class StatusInput(NamedTuple):
    """One principal's record, what is decided about it now, and the usage that this rests on."""

    record: Record
    looked: Evaluation

    @property
    def decision(self) -> Decision:
        return self.looked.decision

    @property
    def usage(self) -> Usage:
        return self.looked.own

    def behind(self, verdict: Verdict) -> Usage:
        """The usage that a verdict sums up."""
        return self.looked.behind(verdict.quota)


def overview(
    records: Iterable[Record], book: QuotaBook, read: ReadBefore, context: Context
) -> Iterator[StatusInput]:
    """Decide about each on the usage that was read for all of them."""
    pools = Pools(book, read, context)
    for record in records:
        looked = evaluate(record, book, read, context, pools)
        if not looked.decision.verdicts:  # then nobody asked for any usage
            looked = looked._replace(own=read.usages[record.principal])
        yield StatusInput(record, looked)
