"""What comes of a verdict: whether it denies something, which model scopes, and if not, why."""

from collections.abc import Iterable
from enum import Enum, auto
from typing import NamedTuple, Self

from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.principal import Kind, Principal, why_not_deniable
from quota_enforcer.core.quotas.quota import Action, Quota
from quota_enforcer.core.quotas.subject import Subject
from quota_enforcer.decide import reasons
from quota_enforcer.decide.verdict import Verdict

OBSERVING = "observe mode blocks nobody"


class Effect(Enum):
    """What comes of a quota once it is used up."""

    DENY = auto()
    OBSERVED = auto()
    """It would deny if observe mode did not keep it from doing so."""
    UNREACHABLE = auto()
    """No deny reaches the principal, in whichever mode."""
    NONE = auto()
    """It only notifies, or only assumed prices reach its limit."""


class Judgement(NamedTuple):
    """A verdict with its effect."""

    verdict: Verdict
    effect: Effect
    why: str = ""
    """Why the quota denies nothing; empty if it denies."""

    @classmethod
    def of(cls, verdict: Verdict, principal: Principal, context: Context) -> Self:
        """The one place that knows what makes a used-up quota deny."""
        if verdict.quota.action is Action.NOTIFY:
            return cls(verdict, Effect.NONE, "this quota only notifies")
        if verdict.used_up and not verdict.surely_used_up:
            why = f"only assumed prices reach the limit: {reasons.unpriced(verdict)}"
            return cls(verdict, Effect.NONE, why)
        unreachable = _out_of_reach(verdict.quota, principal, context)
        if unreachable is not None:
            return cls(verdict.reached, Effect.UNREACHABLE, unreachable)
        if context.mode is Mode.OBSERVE:
            return cls(verdict, Effect.OBSERVED, OBSERVING)
        return cls(verdict, Effect.DENY)

    @property
    def id(self) -> str:
        """The quota's."""
        return self.verdict.quota.id

    @property
    def denies(self) -> bool:
        """Whether it denies something now."""
        return self.verdict.closes and self.effect is Effect.DENY

    @property
    def would_deny(self) -> bool:
        """Whether nothing but observe mode keeps it from denying something now."""
        return self.verdict.closes and self.effect is Effect.OBSERVED

    @property
    def in_enforce_mode(self) -> Self:
        """This judgement as it would be in enforce mode."""
        observed = self.effect is Effect.OBSERVED
        return self._replace(effect=Effect.DENY, why="") if observed else self


def by_item(judgements: Iterable[Judgement]) -> list[list[Judgement]]:
    """Those of each item together: its early stages, then that of its whole limit."""
    found: dict[str, list[Judgement]] = {}
    for each in judgements:
        found.setdefault(each.verdict.quota.item_id, []).append(each)
    return list(found.values())


def _out_of_reach(quota: Quota, principal: Principal, context: Context) -> str | None:
    """Why no deny can reach this principal, of a team any of its members; None if one can."""
    if principal.kind is not Kind.TEAM:
        return why_not_deniable(principal, gated=context.gated, reached=context.reached)
    several: dict[str, None] = {}
    for member in (Subject(each).somebody for each in quota.members):
        why = why_not_deniable(member, gated=context.gated, reached=context.reached)
        if why is None:
            return None
        several[why] = None
    return f"nobody of the team can be blocked: {'; '.join(several)}"
