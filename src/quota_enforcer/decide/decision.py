"""The decision: quotas x usage x standing x now -> the desired standing and the notices due.

Who is warned, blocked and released is decided here and nowhere else. The sweep, the dry run and
the status table all call it, so what an admin is told is what happens.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import Standing
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import Applicable
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.model import EVERYTHING, adds_denies, in_words, scopes_of
from quota_enforcer.decide.judgement import Effect, Judgement
from quota_enforcer.decide.notices import changes, ended, warnings
from quota_enforcer.decide.standing import last, settled, standing_of
from quota_enforcer.decide.verdict import Verdict, judge

NO_POOLS: Mapping[str, Usage] = {}
PAUSED = "new blocks are paused"
HELD = "the breaker holds new blocks"
_OF_CHANGES = {NoticeKind.BLOCKED, NoticeKind.CHANGED, NoticeKind.RESTORED}


class Decision(NamedTuple):
    """The desired standing of a principal, the notices due, and the judgements it rests on."""

    principal: Principal
    before: Standing
    standing: Standing
    notices: tuple[Notice, ...]
    judgements: tuple[Judgement, ...]
    context: Context

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One for each quota that applies, and for each stage of one."""
        return tuple(each.verdict for each in self.judgements)

    @property
    def whole(self) -> tuple[Verdict, ...]:
        """The verdicts on whole limits, without early stages: one for each item."""
        return tuple(each for each in self.verdicts if not each.quota.is_early)

    @property
    def denying(self) -> tuple[Verdict, ...]:
        """The verdicts that deny something, without those that the breaker holds."""
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

    @property
    def new_blocks(self) -> tuple[Verdict, ...]:
        """The verdicts that deny something that was open."""
        before = self.before.denied
        return tuple(each for each in self.denying if adds_denies(each.denied, before))

    def holding(self, held: Mapping[str, int], why: str) -> "Decision":
        """This decision without what these quotas would newly deny; it is due again at once.

        `held` has the percent used of each one's limit, which is noted. Warnings wait too, since
        the limit may be wrong. With nothing held the decision stays as it is.
        """
        if not held:
            return self
        before, now = self.before, self.context.now
        judgements = tuple(
            each._replace(effect=Effect.NONE, why=why) if each.id in held else each
            for each in self.judgements
        )
        denying = [each for each in self.denying if each.quota.id not in held]
        denied = scopes_of(each.quota.denies for each in denying)
        if held.keys() & before.used_up.keys():  # it closes more now, and goes on with what it did
            denied = before.denied | denied if not denied >= EVERYTHING else denied
        used_up = {each.quota.id: self.standing.used_up[each.quota.id] for each in denying}
        used_up |= {id_: before.used_up[id_] for id_ in held if id_ in before.used_up}
        standing = replace(
            self.standing,
            denied=denied,
            used_up=used_up,
            until=last(each.frees_at for each in denying),
            warned=before.warned,
            blocked_since=self.standing.blocked_since if denied else None,
            due=before.due if before.due is not None and before.due <= now else now,
            held=held,
        )
        notices = (
            *(replace(each, closed=in_words(denied)) for each in self.notices
              if each.kind not in _OF_CHANGES | {NoticeKind.WARNING}),
            *changes(self.principal, before, judgements, self.context),
        )  # fmt: skip
        return self._replace(standing=settled(before, standing), notices=notices)

    def pausing(self) -> "Decision":
        """This decision without what it would newly block; what the breaker held stays noted."""
        new = {each.quota.id: 0 for each in self.new_blocks}
        paused = self.holding(new, PAUSED)
        noted = {id_: percent for id_, percent in self.before.held.items() if id_ in new}
        return paused._replace(standing=replace(paused.standing, held=noted))


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
    For a quota that is not shared, but is in `pools`, the usage there counts instead.
    """

    def used_by(quota: Quota) -> Usage:
        apart = quota.pooled or quota.id in pools
        return (pools[quota.id] if apart else usage).at(quota.places, context.home)

    judgements = tuple(
        Judgement.of(
            judge(quota, used_by(quota), context, before.denying(quota.id)), principal, context
        )
        for quota in applicable.quotas
    )
    is_plain = before.since and before.is_plain and applicable.turns_at is None
    if is_plain and not any(each.verdict.closes or each.verdict.threshold for each in judgements):
        # Nothing was decided before and nothing is now, which is so for nearly everybody.
        return Decision(principal, before, before, (), judgements, context)
    standing = standing_of(principal, before, judgements, applicable.turns_at, context)
    notices = (
        *ended(principal, before, judgements, context),
        *warnings(principal, before, standing, judgements, context, used_by),
        *changes(principal, before, judgements, context),
    )
    return Decision(principal, before, standing, notices, judgements, context)
