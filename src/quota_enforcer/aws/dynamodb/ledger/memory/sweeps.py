"""What sweeps and wakes leave for one another: one item, the state."""

from datetime import datetime
from typing import TYPE_CHECKING

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.notices import notice_writes
from quota_enforcer.aws.dynamodb.ledger.schema import SCHEMA, STATE, VERSION, not_newer
from quota_enforcer.aws.dynamodb.table import Update
from quota_enforcer.aws.dynamodb.text import instant, known
from quota_enforcer.core.ledger import SweepState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from quota_enforcer.aws.dynamodb.table import Table
    from quota_enforcer.aws.dynamodb.wire import Plain
    from quota_enforcer.core.notices.notice import Notice
    from quota_enforcer.core.usage.pace import DenyLag

STATE_ATTRIBUTES = {
    "finished",
    "metered_to",
    "fresh_at",
    "terms",
    "metering",
    "metering_from",
}
"""What a finished sweep notes.

`started`, `quotas_seen`, `unsettled`, `closed` and what is of the breaker, or told with a notice,
have their own rules.
"""


class DynamoSweepMemory:
    """Writes the `SweepMemory`; `DynamoReads` reads it."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def begin(self, now: datetime, *, forget_terms: bool = False) -> None:
        """Note that a sweep started, and in which form it writes; neither moves backwards."""
        started = {"started": instant(now), SCHEMA: VERSION}
        gone = ["terms"] if forget_terms else []
        later, newer = _not_later(started=now), not_newer()
        neither = Expression(f"{later.text} AND {newer.text}", {**later.values, **newer.values})
        self._table.update(STATE, started, gone, neither)

    def claim_edits(self, token: str, before: SweepState) -> bool:
        seen = {"quotas_seen": token, "unsettled": token}
        same = still(quotas_seen=before.quotas_seen, unsettled=before.unsettled)
        return self._table.update(STATE, seen, condition=same)

    def complete_edits(self, token: str) -> None:
        self._table.update(STATE, {}, ["unsettled"], still(unsettled=token))

    def reopen_edits(self, token: str) -> None:
        self._table.update(STATE, {"unsettled": token})

    def finish(self, state: SweepState) -> None:
        """Note what a sweep leaves, unless a later one already did.

        A later sweep that has only begun keeps its `started`, so that its crash will be seen.
        """
        if state.finished is None or state.started is None:
            raise ValueError(f"a sweep that finishes has started and finished, not {state}")
        noted = state_attributes(state)
        gone = sorted(STATE_ATTRIBUTES - noted.keys())
        alone = _not_later(finished=state.finished)
        latest = _not_later(finished=state.finished, started=state.started)
        started = {"started": instant(state.started)}
        if not self._table.update(STATE, noted | started, gone, latest):
            self._table.update(STATE, noted, gone, alone)

    def turn_breaker(
        self,
        since: datetime | None,
        before: SweepState,
        token: str,
        notices: "Iterable[Notice]" = (),
        confirmed_at: datetime | None = None,
        far: int = 0,
    ) -> bool:
        noted = known(
            breaker=token, breaker_since=since, confirmed_at=confirmed_at, breaker_far=far
        )
        gone = ["breaker_since"] if since is None else []
        return self._told(noted, gone, still(breaker=before.breaker), notices)

    def note(self, *, fresh_at: datetime, lag: "DenyLag") -> None:
        noted = known(fresh_at=fresh_at, lag_seen=lag.seen, lag_holds=lag.holds)
        self._table.update(STATE, noted)

    def note_pause(
        self, until: datetime | None, before: SweepState, notices: "Iterable[Notice]"
    ) -> bool:
        same = still(paused_until=before.paused_until)
        gone = ["paused_until"] if until is None else []
        return self._told(known(paused_until=until), gone, same, notices)

    def note_tiers(
        self, seen_at: datetime, notified: str, before: SweepState, notices: "Iterable[Notice]"
    ) -> bool:
        same = still(tiers_seen_at=before.tiers_seen_at)
        noted = known(tiers_seen_at=seen_at, tiers_notified=notified)
        return self._told(noted, [] if notified else ["tiers_notified"], same, notices)

    def note_gates(self, notified: str, before: SweepState, notices: "Iterable[Notice]") -> bool:
        same = still(gates_told=before.gates_notified)
        gone = [] if notified else ["gates_told"]
        return self._told(known(gates_told=notified), gone, same, notices)

    def note_accounts(self, notified: str, before: SweepState, notices: "Iterable[Notice]") -> bool:
        same = still(accounts_told=before.accounts_notified)
        gone = [] if notified else ["accounts_told"]
        return self._told(known(accounts_told=notified), gone, same, notices)

    def note_digest(
        self, week: str, tried_at: datetime, before: SweepState, notices: "Iterable[Notice]"
    ) -> bool:
        same = still(digest_tried_at=before.digest_tried_at, digest_week=before.digest_week)
        noted = known(digest_tried_at=tried_at, digest_week=week)
        return self._told(noted, [] if week else ["digest_week"], same, notices)

    def close(self) -> None:
        self._table.update(STATE, {"closed": True})

    def reopen(self) -> None:
        self._table.update(STATE, {}, ["closed", "terms"])

    def _told(
        self,
        values: "Plain",
        gone: "Sequence[str]",
        same: Expression,
        notices: "Iterable[Notice]",
    ) -> bool:
        """Note something with what is told of it, unless somebody else was first."""
        noted = Update(STATE, values=values, remove=gone, condition=same)
        return not self._table.write([noted, *notice_writes(notices)])


def state_attributes(state: SweepState) -> dict[str, str]:
    """What a finished sweep notes; what is None or empty is to be removed."""
    return known(**{name: getattr(state, name) for name in STATE_ATTRIBUTES})


def still(**values: str | datetime | None) -> Expression:
    """Holds if the state says just this; None and an empty text stand for an absent attribute."""
    parts = (
        f"#{name} = :{name}" if value else f"attribute_not_exists(#{name})"
        for name, value in values.items()
    )
    return Expression(" AND ".join(parts), known(**values))


def _not_later(**moments: datetime) -> Expression:
    """Holds if the state has no later moments than these."""
    parts = (f"(attribute_not_exists(#{name}) OR #{name} <= :{name})" for name in moments)
    return Expression(
        " AND ".join(parts), {name: instant(moment) for name, moment in moments.items()}
    )
