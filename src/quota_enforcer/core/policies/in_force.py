"""What IAM denies at present, as far as it was asked, and which calls pass it all the same."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from quota_enforcer.core.deployment import SETTLING
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.principal import GATED, Principal
from quota_enforcer.core.usage.model import ModelScope
from quota_enforcer.core.usage.pace import DenyLag
from quota_enforcer.core.usage.reads import Called

NO_SCOPES: frozenset[str] = frozenset()
"""No model scope."""

ONLY_HOME: Final = frozenset({""})
"""The home account alone."""

REFUSED_AFTER: Final = timedelta(minutes=5)
"""So long after a deny IAM refuses everywhere, and clocks differ by less."""

SURELY_REFUSED_AFTER: Final = timedelta(hours=1)
"""So long after a deny no call can have begun before it."""


@dataclass(frozen=True, slots=True)
class InForce:
    """What IAM denies at present in whole accounts, or some principals alone."""

    denied: Mapping[Principal, frozenset[str]] = field(default_factory=dict)
    """The model scopes by whom they are denied to; who was asked about and is not here has none."""
    listed: frozenset[str] = frozenset()
    """The accounts that were asked about everybody: home, which is `""`, and member accounts."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """The member accounts that were asked in vain, and why."""
    asked: frozenset[Principal] = frozenset()
    """Of whom alone it is known, for a reason to doubt what the ledger says."""

    def of(self, record: Record) -> frozenset[str]:
        """What somebody is denied; where IAM was not asked, what the ledger says was brought about.

        A wake does not ask, and a sweep asks in member accounts once an hour.
        """
        principal = record.principal
        if principal.account in self.listed or principal in self.asked:
            return self.denied.get(principal, NO_SCOPES)
        return (
            NO_SCOPES if record.trouble or record.intended is not None else record.standing.denied
        )

    def only_of(self, principals: Iterable[Principal]) -> "InForce":
        """What is known of these alone."""
        asked = frozenset(each for each in principals if each.account in self.listed)
        denied = {each: self.denied.get(each, NO_SCOPES) for each in asked}
        return InForce(denied, unread=self.unread, asked=asked)

    def drift(
        self, record: Record, now: datetime, tried: frozenset[str] = NO_SCOPES
    ) -> tuple[str, ...]:
        """What somebody else attached or detached, in words; an unfinished apply is none.

        `tried` may have been attached by ourselves.
        """
        since = record.standing.since
        young = since and since > now - SETTLING
        if record.intended is not None or record.trouble:
            return ()
        if young and record.principal not in self.asked:
            return ()
        attached, who = self.of(record), record.principal
        missing = record.standing.denied - attached
        planted = attached - record.standing.denied - tried
        return (
            *(f"the deny of {each} was detached from {who}" for each in sorted(missing)),
            *(f"the deny of {each} was attached to {who}" for each in sorted(planted)),
        )


@dataclass(frozen=True, slots=True)
class WokenCalls:
    """The calls that a wake was told of; of a sweep none."""

    called: Called = field(default_factory=dict)
    denied: tuple[Record, ...] = ()
    """The records of those among the callers who are denied something."""

    def pass_deny(self, record: Record) -> bool:
        """Whether somebody called what had been denied for so long that IAM should have refused.

        Once IAM was asked, only calls that are as much later are a reason to ask again. Then the
        deny was taken off; that a call is over late is no reason, since it is dated by its begin.
        """
        return self._first_since(record, REFUSED_AFTER) is not None

    def unheeded(self, records: Iterable[Record], in_force: InForce) -> tuple[str, ...]:
        """Of which denies it is known that they are attached, and calls pass them all the same."""
        found = []
        for record in records:
            denied, call = record.standing.denied, self._first_since(record, SURELY_REFUSED_AFTER)
            gate = record.principal.kind in GATED
            if call is not None and not gate and denied <= in_force.of(record):
                model, at = call
                found.append(
                    f"{record.principal} called {model} at {at:%Y-%m-%dT%H:%M:%SZ}, although the "
                    f"deny of {', '.join(sorted(denied))} is attached: see `quota-enforcer "
                    "doctor`, which reads what the deny says"
                )
        return tuple(found)

    def measured(self, lag: DenyLag, now: datetime) -> DenyLag:
        """The lag with what these calls say of it.

        How old they are is what it takes until somebody looks. One of a model that was denied by
        then says how long IAM let it pass; one as late as REFUSED_AFTER is another matter.
        """
        ages = sorted(now - max(calls.values()) for calls in self.called.values() if calls)
        passed = [
            at - record.standing.since
            for record in self.denied
            if record.standing.since is not None
            for _, at in self._of_denied(record)
            if timedelta() < at - record.standing.since < REFUSED_AFTER
        ]
        return lag.measured(
            _seconds(ages[len(ages) // 2]) if ages else None,
            _seconds(max(passed)) if passed else None,
        )

    def _of_denied(self, record: Record) -> Iterator[tuple[str, datetime]]:
        """The calls of what the ledger says is denied, by model."""
        calls = self.called.get(record.principal, {})
        scopes = [ModelScope(each) for each in record.standing.denied] if calls else []
        for model, at in sorted(calls.items()):
            if any(scope.covers(model) for scope in scopes):
                yield model, at

    def _first_since(self, record: Record, after: timedelta) -> tuple[str, datetime] | None:
        """The first of the models that are denied which was called so long after it was denied."""
        standing = record.standing
        if record.trouble or record.intended is not None or standing.since is None:
            return None
        refused_from = max(standing.since, standing.in_force_at or standing.since) + after
        late = (each for each in self._of_denied(record) if each[1] > refused_from)
        return next(late, None)


def _seconds(length: timedelta) -> Decimal:
    return Decimal(length // timedelta(milliseconds=1)) / 1000
