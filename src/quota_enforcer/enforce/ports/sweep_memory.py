"""What sweeps and wakes leave for one another: the state, marks of usage, and headrooms."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Protocol

from quota_enforcer.core.ledger import (
    SweepState,
    SweepStateReads,
)
from quota_enforcer.core.notices.notice import Notice
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.looks.headroom import Headroom, KeptHeadroom
from quota_enforcer.core.usage.pace import DenyLag
from quota_enforcer.core.usage.stored import Bucket


class SweepMemory(SweepStateReads, Protocol):
    """What sweeps and wakes leave for one another."""

    def begin(self, now: datetime, *, forget_terms: bool = False) -> None:
        """Note that a sweep started, and on demand that no terms hold until one has finished."""

    def finish(self, state: SweepState) -> None:
        """Note what a sweep leaves, unless a later one already did.

        That is all of `state` but `closed`, `quotas_seen`, `unsettled` and what `turn_breaker`,
        `note_pause`, `note_tiers`, `note_gates`, `note_accounts` and `note_digest` write.
        """

    def turn_breaker(
        self,
        since: datetime | None,
        before: SweepState,
        token: str,
        notices: Iterable[Notice] = (),
        confirmed_at: datetime | None = None,
        far: int = 0,
    ) -> bool:
        """Note that the breaker tripped, or with None that it lets go, with its notices.

        From then on nobody blocks by what was decided before. `confirmed_at` is when an admin
        overruled it, and `far` is percent of a limit from which on it holds nobody. False, and
        nothing written, if somebody else turned it since `before`.
        """

    def claim_edits(self, token: str, before: SweepState) -> bool:
        """Note by its token that somebody has seen edits and begins to act, unsettled until then.

        False, and nothing written, if somebody else did so since `before`.
        """

    def complete_edits(self, token: str) -> None:
        """Nothing is unsettled any more, unless it is by another token."""

    def reopen_edits(self, token: str) -> None:
        """What somebody has done may rest on quotas that were edited meanwhile."""

    def note(self, *, fresh_at: datetime, lag: DenyLag) -> None:
        """Note between two sweeps when a bucket last changed, and how long a deny takes."""

    def note_pause(
        self, until: datetime | None, before: SweepState, notices: Iterable[Notice]
    ) -> bool:
        """Note with its notices that admins know of a pause until then, or that there is none.

        False, and nothing written, if somebody else told of another since `before`.
        """

    def note_tiers(
        self, seen_at: datetime, notified: str, before: SweepState, notices: Iterable[Notice]
    ) -> bool:
        """Note with its notices of which service tiers admins know, and when they were looked for.

        False, and nothing written, if somebody else has looked since `before`.
        """

    def note_accounts(self, notified: str, before: SweepState, notices: Iterable[Notice]) -> bool:
        """Note with its notices which member accounts admins know to be out of reach.

        False, and nothing written, if somebody else told of others since `before`.
        """

    def note_gates(self, notified: str, before: SweepState, notices: Iterable[Notice]) -> bool:
        """Note with its notices what admins know of others' changes to the gates.

        False, and nothing written, if somebody else told of others since `before`.
        """

    def note_digest(
        self, week: str, tried_at: datetime, before: SweepState, notices: Iterable[Notice]
    ) -> bool:
        """Note with its notices which Monday's digest admins have, and when one was begun.

        False, and nothing written, if somebody else began or told one since `before`.
        """

    def close(self) -> None:
        """From now on no intent to block can be written."""

    def reopen(self) -> None:
        """Take that back; the next sweep looks at everybody, as after a change of settings."""


class Unseen(Protocol):
    """Who used something that nobody has looked at yet."""

    def unseen(self, mark: str = ...) -> Mapping[str, frozenset[Principal]]:
        """By mark, consistently read: all, or those of one delivery."""

    def looked_at(self, seen: Mapping[str, frozenset[Principal]]) -> None:
        """Take out these marks; whom one is mapped to stays marked by it."""


class Headrooms(Protocol):
    """Who need not be looked at until they have used so much more."""

    def headrooms(self, principals: Iterable[Principal]) -> Mapping[Principal, KeptHeadroom]:
        """What is kept of these, consistently read."""

    def keep_headrooms(
        self, headrooms: Mapping[Principal, Headroom], over: Mapping[Principal, str]
    ) -> None:
        """Keep what looks found that began after these tokens were read, empty if none was.

        Nothing is written of somebody who has another token by now: usage that the look did not see
        may have dropped it.
        """

    def drop_headrooms(self, principals: Collection[Principal], now: datetime) -> None:
        """From now on nothing that a look found which is under way already is kept of these."""

    def hours(self, buckets: Iterable[Bucket]) -> Mapping[Bucket, Mapping[datetime, Counts]]:
        """The stored hours (by start in UTC) of these buckets; absent ones are left out."""
