"""What a sweep, a wake or an edit knows before anything is decided, and what IAM denies by it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from quota_enforcer.core.deployment import SETTLING, Context
from quota_enforcer.core.ledger import GateIntent, Record, SweepState
from quota_enforcer.core.principal import GATED, Principal
from quota_enforcer.core.quotas.quota import pause_of
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.looks.headroom import Headroom, KeptHeadroom
from quota_enforcer.core.usage.looks.unseen import may_be_followed
from quota_enforcer.core.usage.model import ModelScope
from quota_enforcer.core.usage.pace import DenyLag
from quota_enforcer.core.usage.reads import Called
from quota_enforcer.decide.breaker import RecentEdits
from quota_enforcer.decide.rules.rule_set import RuleSet

NOTHING: frozenset[str] = frozenset()
"""No model scope."""

ONLY_HOME: frozenset[str] = frozenset({""})
"""The home account alone."""

REFUSED_AFTER = timedelta(minutes=5)
"""So long after a deny IAM refuses everywhere, and clocks differ by less."""

SURELY_REFUSED_AFTER = timedelta(hours=1)
"""So long after a deny no call can have begun before it."""


@dataclass(frozen=True, slots=True)
class SweepInput:
    """What is known before anything is decided."""

    rules: RuleSet
    context: Context
    wanted: frozenset[Principal]
    """Whom to look at."""
    state: SweepState
    settings_changed: bool
    """Whether no sweep has acted on the present settings yet."""
    attached: Mapping[Principal, frozenset[str]] | None = None
    """The scopes that IAM denies at present; None if IAM was not asked."""
    gates: Mapping[Principal, GateIntent] | None = None
    """What the gates were asked to deny; None if the ledger was not asked."""
    listed: frozenset[str] = ONLY_HOME
    """The accounts that `attached` is of."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """The member accounts that IAM was asked about in vain, and why."""
    unseen: Mapping[str, frozenset[Principal]] = field(default_factory=dict)
    """By mark who used something that nobody had looked at; of a wake its own marks."""
    confirmed: bool = False
    """An admin's word that the breaker need not hold."""

    called: Called = field(default_factory=dict)
    """When whoever is woken called which model last."""
    passing: tuple[Record, ...] = ()
    """The records of those among them who are denied something."""
    asked: Mapping[Principal, frozenset[str]] = field(default_factory=dict)
    """What IAM denies the users and roles among those."""
    roomy: Mapping[Principal, Usage] = field(default_factory=dict)
    """Who was woken and need not be looked at: nothing changes yet by what they used today."""
    renewed: Mapping[Principal, Headroom] = field(default_factory=dict)
    """What is left of the headrooms of some of these."""
    renewable: Mapping[Principal, KeptHeadroom] = field(default_factory=dict)
    """Whose headroom may be kept, over which."""
    doubted: frozenset[Principal] = frozenset()
    """Those at a wake of whom it is doubted that what the ledger says is in force."""
    premise: str = ""
    """On what a headroom stands that is found now, for who knows no quotas; empty if they may not
    go by it."""

    @property
    def over(self) -> dict[Principal, str]:
        """Over which tokens headrooms may be kept."""
        return {principal: each.token for principal, each in self.renewable.items()}

    @property
    def recent_edits(self) -> RecentEdits:
        """The edits that may be mistakes."""
        return RecentEdits(self.rules, self.state, self.context.now, self.settings_changed)

    @property
    def paused(self) -> bool:
        """Whether nobody new is blocked for the moment."""
        return pause_of(self.rules.rules, self.context.now) is not None

    @property
    def asked_everywhere(self) -> bool:
        """Whether IAM was asked in every member account, as once an hour."""
        return self.context.reached <= self.listed | self.unread.keys()

    @property
    def partial(self) -> bool:
        """A wake or an edit: to find what others changed in IAM is the schedule's."""
        return self.attached is None

    def seen(self, *, but: Collection[Principal]) -> dict[str, frozenset[Principal]]:
        """The marks that need not stay as they are, and whom each must go on marking.

        A sweep leaves those that usage may still follow. Of the others whoever is in `but` or was
        not looked at stays marked; one mark of somebody is enough, so that whoever fails again and
        again does not gather marks.
        """
        looked = (self.wanted | self.roomy.keys()) - frozenset(but)
        marked = frozenset[Principal]()
        left = {}
        for mark, users in sorted(self.unseen.items()):
            if not self.partial and may_be_followed(mark, self.context.now):
                continue
            stay = users - looked - marked
            marked |= stay
            if stay != users:
                left[mark] = stay
        return left

    def denied(self, record: Record) -> frozenset[str]:
        """What IAM denies somebody; where it was not asked, what the ledger says was brought about.

        A wake does not ask, and a sweep asks in member accounts once an hour.
        """
        if self.attached is not None and record.principal.account in self.listed:
            return self.attached.get(record.principal, NOTHING)
        if record.principal in self.asked:
            return self.asked[record.principal]
        return NOTHING if record.trouble or record.intended is not None else record.standing.denied

    def doubts(self, record: Record) -> bool:
        """Whether somebody called what had been denied for so long that IAM should have refused.

        Once IAM was asked, only calls that are as much later are a reason to ask again. Then the
        deny was taken off; that a call is over late is no reason, since it is dated by its begin.
        """
        return self.attached is None and self._called_since(record, REFUSED_AFTER) is not None

    def unheeded(self, records: Iterable[Record]) -> tuple[str, ...]:
        """Of which denies it is known that they are attached, and calls pass them all the same."""
        found = []
        for record in records:
            denied, call = record.standing.denied, self._called_since(record, SURELY_REFUSED_AFTER)
            gate = record.principal.kind in GATED
            if call is not None and not gate and denied <= self.asked.get(record.principal, denied):
                model, at = call
                found.append(
                    f"{record.principal} called {model} at {at:%Y-%m-%dT%H:%M:%SZ}, although the "
                    f"deny of {', '.join(sorted(denied))} is attached: see `quota-enforcer "
                    "doctor`, which reads what the deny says"
                )
        return tuple(found)

    @property
    def measured(self) -> DenyLag:
        """The lag with what a wake's calls say of it.

        How old they are is what it takes until somebody looks. One of a model that was denied by
        then says how long IAM let it pass; one as late as REFUSED_AFTER is another matter.
        """
        now = self.context.now
        ages = sorted(now - max(calls.values()) for calls in self.called.values() if calls)
        passed = [
            at - record.standing.since
            for record in self.passing
            if record.standing.since is not None
            for at in self._passing(record)
            if timedelta() < at - record.standing.since < REFUSED_AFTER
        ]
        return self.context.lag.measured(
            _seconds(ages[len(ages) // 2]) if ages else None,
            _seconds(max(passed)) if passed else None,
        )

    def _passing(self, record: Record) -> Iterator[datetime]:
        """When somebody called what the ledger says is denied."""
        scopes = [ModelScope(each) for each in record.standing.denied]
        for model, at in self.called.get(record.principal, {}).items():
            if any(scope.covers(model) for scope in scopes):
                yield at

    def drift(self, record: Record, tried: frozenset[str] = NOTHING) -> tuple[str, ...]:
        """What somebody else attached or detached, in words; an unfinished apply is none.

        `tried` may have been attached by ourselves.
        """
        since = record.standing.since
        young = since and since > self.context.now - SETTLING
        if record.intended is not None or record.trouble:
            return ()
        if young and record.principal not in self.asked:
            return ()
        attached, who = self.denied(record), record.principal
        missing = record.standing.denied - attached
        planted = attached - record.standing.denied - tried
        return (
            *(f"the deny of {each} was detached from {who}" for each in sorted(missing)),
            *(f"the deny of {each} was attached to {who}" for each in sorted(planted)),
        )

    def _called_since(self, record: Record, after: timedelta) -> tuple[str, datetime] | None:
        """The first of the models that are denied which was called so long after it was denied."""
        standing, calls = record.standing, self.called.get(record.principal, {})
        if not calls or record.trouble or record.intended is not None or standing.since is None:
            return None
        refused_from = max(standing.since, standing.in_force_at or standing.since) + after
        scopes = [ModelScope(each) for each in standing.denied]
        for model, at in sorted(calls.items()):
            if at > refused_from and any(scope.covers(model) for scope in scopes):
                return model, at
        return None


def _seconds(length: timedelta) -> Decimal:
    return Decimal(length // timedelta(milliseconds=1)) / 1000
