"""Every check, in the order of the data: from the log to the denies and the rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from quota_enforcer.core.policies.callers import FINDING, NEEDS
from quota_enforcer.doctor import logs, people, works
from quota_enforcer.doctor.deployment import DeploymentUnderCheck
from quota_enforcer.doctor.finding import Diagnosis


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked at; `needs` are the IAM actions for it."""

    name: str
    look: Callable[[], Diagnosis]
    needs: Sequence[str]


CHECKS: Final[dict[str, Callable[[DeploymentUnderCheck], Diagnosis]]] = {
    "logging": logs.logging,
    "regions": logs.regions,
    "records": logs.records,
    "meter": logs.meter,
    "ledger": logs.ledger,
    "tokens": logs.tokens,
    "dead letters": works.dead_letters,
    "recounts": works.recounts,
    "sweep": works.sweep,
    "schedules": works.schedules,
    "functions": works.functions,
    "event sources": works.event_sources,
    "alarms": works.alarms,
    "notices": works.notices,
    "users and roles": people.users_and_roles,
    "shared roles": people.shared,
    "denies": people.denies,
    "deny policies": people.deny_policies,
    "gates": people.gates,
    "quotas": people.quotas,
    "prices": people.prices,
    "mode": people.mode,
    "clock": works.clock_and_zone,
}


def checks(patient: DeploymentUnderCheck) -> list[Check]:
    """All of them, on one deployment."""
    return [
        Check(name, partial(look, patient), (*FINDING, *NEEDS[name]))
        for name, look in CHECKS.items()
    ]
