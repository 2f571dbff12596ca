"""What became of those who were to be released, told to people and to machines."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from quota_enforcer.cli.terminal.output import hint, say
from quota_enforcer.core.deployment import Context
from quota_enforcer.core.notices import wording
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.describe import named
from quota_enforcer.decide.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Pardoned:
    """A quota whose block is lifted until then."""

    verdict: Verdict
    until: datetime | None
    """None where it was a block by hand, which is over."""


@dataclass(slots=True)
class Outcome:
    """What became of one principal or team; `why_not` where there was nothing to release."""

    principal: Principal
    pardoned: list[Pardoned] = field(default_factory=list)
    why_not: str = ""
    error: str = ""
    members: list[Principal] = field(default_factory=list)
    blocked: list[Principal] = field(default_factory=list)
    """Who is blocked all the same: the principal, or of a team its members."""

    @property
    def subject(self) -> list[Principal]:
        """The principal, or of a team its members."""
        return self.members or [self.principal]

    @property
    def free(self) -> bool:
        """Whether nothing blocks them any more."""
        return not self.blocked

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "principal": str(self.principal),
            "free": self.free,
            "still_blocked": list(map(str, self.blocked)),
            "pardoned": [
                {"quota": each.verdict.quota.name, "of": each.verdict.quota.subject,
                 "until": each.until}
                for each in self.pardoned
            ],
            "why_not": self.why_not or None,
            "error": self.error or None,
        }  # fmt: skip


def say_outcomes(outcomes: list[Outcome], context: Context) -> None:
    """Who is free, until when no limit holds, and what holds again then."""
    if not outcomes:
        say("Nobody is blocked.")
    for outcome in outcomes:
        who = outcome.principal
        if outcome.why_not:
            say(f"Nothing to release for {who}: {outcome.why_not}.")
            continue
        named_still = ": " + ", ".join(map(str, outcome.blocked)) if outcome.members else ""
        say(f"{who} is {'free' if outcome.free else f'still blocked{named_still}'}.")
        for each in outcome.pardoned:
            quota = each.verdict.quota
            if each.until is None:
                say(f"  The block by hand is over: the item {quota.name} is removed.")
                continue
            until = wording.moment(each.until, context.zone)
            say(f"  No limit {quota.name} until {until}; then again {named(quota)}.")
    if any(outcome.free and not outcome.why_not for outcome in outcomes):
        hint("IAM needs a few seconds to know it.")
