"""The decision: quotas x usage x standing x now -> the desired standing and the notices due.

Who is warned, blocked and released is decided here and nowhere else. The sweep, the dry run and
the status table all call it, so what an admin is told is what happens.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import Standing
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import Applicable
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.decide.judgement import Judgement, adds_denies, in_words
from quota_enforcer.decide.notices import changes, ended, warnings
from quota_enforcer.decide.standing import last, standing_of
from quota_enforcer.decide.verdict import Verdict, judge

NO_POOLS: Mapping[str, Usage] = {}


@dataclass(frozen=True, slots=True)
class Decision:
    """The desired standing of a principal, the notices due, and the judgements it rests on."""

    principal: Principal
    before: Standing
    standing: Standing
    notices: tuple[Notice, ...]
    judgements: tuple[Judgement, ...]
    context: Context

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One for each quota that applies."""
        return tuple(each.verdict for each in self.judgements)

    @property
    def denying(self) -> tuple[Verdict, ...]:
        """Those that deny something, but for what the breaker holds."""
        return tuple(each.verdict for each in self.judgements if each.id in self.standing.used_up)

    @property
    def blocks(self) -> bool:
        """Whether it closes something that was open."""
        return adds_denies(self.standing.denied, self.before.denied)

    @property
    def denies_changed(self) -> bool:
        """Whether other quotas deny, or something else, than before."""
        before, after = self.before, self.standing
        return (before.denied, before.used_up.keys()) != (after.denied, after.used_up.keys())

    def without_new_blocks(self) -> "Decision":
        """The same but for what it would newly deny; due at once, so that it is decided again.

        Its warnings wait too: the limit that it would be blocked for may be wrong.
        """
        denying = [each for each in self.denying if each.quota.id in self.before.used_up]
        now, due = self.context.now, self.before.due
        denied = self.standing.denied & self.before.denied
        standing = replace(
            self.standing,
            denied=denied,
            used_up={each.quota.id: self.standing.used_up[each.quota.id] for each in denying},
            until=last(each.frees_at for each in denying),
            warned=self.before.warned,
            blocked_since=self.before.blocked_since if denied else None,
            due=due if due is not None and due <= now else now,
        )
        notices = tuple(
            replace(each, closed=in_words(standing.denied))
            for each in self.notices
            if each.kind not in {NoticeKind.BLOCKED, NoticeKind.WARNING}
        )
        return replace(self, standing=standing, notices=notices)


def decide(
    principal: Principal,
    applicable: Applicable,
    usage: Usage,
    before: Standing,
    context: Context,
    pools: Mapping[str, Usage] = NO_POOLS,
) -> Decision:
    """What should hold for a principal now.

    A warning never swallows the later block, a jump past both gives the block alone, and a reset
    lifts only what its own window denied. `usage` is the principal's own, and `pools` are by quota
    id what all who share one used together: the team is warned of it, and the block is everybody's.
    """

    def used_by(quota: Quota) -> Usage:
        return pools[quota.id] if quota.pooled else usage

    judgements = tuple(
        Judgement.of(judge(quota, used_by(quota), context), principal, context)
        for quota in applicable.quotas
    )
    standing = standing_of(principal, before, judgements, applicable.turns_at, context)
    notices = (
        *ended(principal, before, judgements, context),
        *warnings(principal, before, standing, judgements, context, used_by),
        *changes(principal, before, judgements, context),
    )
    return Decision(principal, before, standing, notices, judgements, context)
