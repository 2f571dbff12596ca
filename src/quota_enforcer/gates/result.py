"""What a run of the author answers, and how it travels from function to function."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from quota_enforcer.core.principal import Kind, Principal

MOST_NAMED: Final = 250
"""Sessions of one role that an answer names one by one.

Anybody who may take the role makes up their names, and a function answers with at most 6 MB:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""
NEARLY_FULL: Final = 80
"""Per cent from which on admins are told that a gate needs relief."""


@dataclass(frozen=True, slots=True)
class GateDenial:
    """What the gates deny somebody, and why that is not all that was asked for, if so."""

    scopes: frozenset[str] = frozenset()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class GateResult:
    """What the gates deny now."""

    denied: Mapping[Principal, frozenset[str]] = field(default_factory=dict)
    """The scopes that at least one gate denies each principal."""
    trouble: Mapping[Principal, str] = field(default_factory=dict)
    """Why a principal is not denied in full."""
    written: tuple[str, ...] = ()
    """The gates that got a new version."""
    tampered: tuple[str, ...] = ()
    """Sentences about what is wrong with gates until somebody puts it right, in every run."""
    fill: Mapping[str, int] = field(default_factory=dict)
    """How full each gate is, in per cent."""
    failures: tuple[str, ...] = ()
    """What went wrong, in words; such gates are as they were."""
    whole: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The roles that a gate denies with all their sessions, which did not fit one by one."""
    righted: tuple[str, ...] = ()
    """Sentences about what others did to gates and this run put right; the ledger keeps them until
    admins are told, whatever becomes of this answer."""

    sessions: Mapping[str, GateDenial] = field(default_factory=dict)
    """By role, what holds for each session of it that is not named above."""
    unreachable: Mapping[str, str] = field(default_factory=dict)
    """The member accounts whose gates could not be looked after, and why; they are as they were."""

    def of(self, who: Principal) -> GateDenial:
        """What the gates deny this principal."""
        if who not in self.denied and who not in self.trouble and who.kind is Kind.SESSION:
            return self.sessions.get(str(who.of_role), GateDenial())
        return GateDenial(self.denied.get(who, frozenset()), self.trouble.get(who, ""))

    @property
    def nearly_full(self) -> dict[str, int]:
        """The gates that admins should hear of before they are full."""
        return {gate: percent for gate, percent in self.fill.items() if percent >= NEARLY_FULL}

    def to_json(self) -> dict[str, Any]:
        """As the author function answers it."""
        return {
            "denied": {str(who): sorted(self.denied[who]) for who in sorted(self.denied)},
            "trouble": {str(who): self.trouble[who] for who in sorted(self.trouble)},
            "written": list(self.written),
            "tampered": list(self.tampered),
            "fill": dict(self.fill),
            "whole": {gate: list(self.whole[gate]) for gate in sorted(self.whole)},
            "failures": list(self.failures),
            "righted": list(self.righted),
            "unreachable": dict(self.unreachable),
            "sessions": {
                role: {"denied": sorted(each.scopes), "trouble": each.trouble}
                for role, each in sorted(self.sessions.items())
            },
        }

    @classmethod
    def from_json(cls, answer: Mapping[str, Any]) -> Self:
        """As it was before `to_json`."""
        return cls(
            {Principal.parse(who): frozenset(of) for who, of in answer["denied"].items()},
            {Principal.parse(who): why for who, why in answer["trouble"].items()},
            tuple(answer["written"]),
            tuple(answer["tampered"]),
            dict(answer["fill"]),
            tuple(answer["failures"]),
            # An author of before an update does not say.
            {gate: tuple(roles) for gate, roles in answer.get("whole", {}).items()},
            tuple(answer.get("righted", ())),
            {
                role: GateDenial(frozenset(each["denied"]), each["trouble"])
                for role, each in answer.get("sessions", {}).items()
            },
            dict(answer.get("unreachable", {})),
        )


def summed_up(denied: Mapping[Principal, GateDenial]) -> dict[str, GateDenial]:
    """By role with more than MOST_NAMED sessions, what holds for most of them."""
    roles: dict[str, Counter[GateDenial]] = {}
    for who, each in denied.items():
        if who.kind is Kind.SESSION:
            roles.setdefault(str(who.of_role), Counter())[each] += 1
    return {
        role: counted.most_common(1)[0][0]
        for role, counted in roles.items()
        if counted.total() > MOST_NAMED
    }
