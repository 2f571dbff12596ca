"""What sweeps and wakes leave for one another: one item, the state."""

from datetime import datetime
from typing import TYPE_CHECKING

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.items import STATE
from quota_enforcer.aws.dynamodb.ledger.notices import notice_writes
from quota_enforcer.aws.dynamodb.ledger.schema import SCHEMA, VERSION
from quota_enforcer.aws.dynamodb.table import Update
from quota_enforcer.aws.dynamodb.text import instant, known
from quota_enforcer.core.ledger import SweepState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quota_enforcer.aws.dynamodb.table import Table
    from quota_enforcer.core.notices.notice import Notice

STATE_ATTRIBUTES = {
    "finished",
    "metered_to",
    "fresh_at",
    "terms",
    "paused_until",
    "gates_told",
    "tiers_seen_at",
    "tiers_notified",
    "metering",
    "metering_from",
}
"""What a finished sweep notes.

`started`, `quotas_seen`, `unsettled`, `closed` and what is of the breaker have their own rules.
"""
_FIELDS = {"gates_told": "gates_notified"}
"""The fields whose attribute has another name."""


class DynamoSweepMemory:
    """Writes the `SweepMemory`; `DynamoReads` reads it."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def begin(self, now: datetime) -> None:
        """Note that a sweep started; that never moves backwards."""
        started = {"started": instant(now), SCHEMA: VERSION}
        self._table.update(STATE, started, condition=_not_later(started=now))

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
    ) -> bool:
        noted = known(breaker=token, breaker_since=since, confirmed_at=confirmed_at)
        turn = Update(
            STATE,
            values=noted,
            remove=["breaker_since"] if since is None else [],
            condition=still(breaker=before.breaker),
        )
        return not self._table.write([turn, *notice_writes(notices)])

    def note(self, *, fresh_at: datetime | None = None, gates_notified: str = "") -> None:
        self._table.update(STATE, known(fresh_at=fresh_at, gates_told=gates_notified))

    def note_pause(self, until: datetime | None) -> None:
        noted = known(paused_until=until)
        self._table.update(STATE, noted, [] if noted else ["paused_until"])

    def close(self) -> None:
        self._table.update(STATE, {"closed": True})

    def reopen(self) -> None:
        self._table.update(STATE, {}, ["closed", "terms"])


def state_attributes(state: SweepState) -> dict[str, str]:
    """What a finished sweep notes; what is None or empty is to be removed."""
    values = {name: getattr(state, _FIELDS.get(name, name)) for name in STATE_ATTRIBUTES}
    return known(**values)


def still(**values: str) -> Expression:
    """Holds if the state says just this; an empty text stands for an absent attribute."""
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
