"""What a sweep, a wake or an edit knows before anything is decided."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import GateIntent, SweepState
from quota_enforcer.core.policies.in_force import InForce, WokenCalls
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.quota import pause_of
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.looks.headroom import Headroom, KeptHeadroom
from quota_enforcer.core.usage.looks.unseen import may_be_followed
from quota_enforcer.decide.breaker import RecentEdits
from quota_enforcer.decide.rules.rule_set import RuleSet


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
    in_force: InForce = field(default_factory=InForce)
    gates: Mapping[Principal, GateIntent] | None = None
    """What the gates were asked to deny; None if the ledger was not asked."""
    unseen: Mapping[str, frozenset[Principal]] = field(default_factory=dict)
    """By mark who used something that nobody had looked at; of a wake its own marks."""
    confirmed: bool = False
    """An admin's word that the breaker need not hold."""
    calls: WokenCalls = field(default_factory=WokenCalls)
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
        return self.context.reached <= self.in_force.listed | self.in_force.unread.keys()

    @property
    def partial(self) -> bool:
        """A wake or an edit: to find what others changed in IAM is the schedule's."""
        return not self.in_force.listed

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
