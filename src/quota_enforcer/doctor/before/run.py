"""Every check of an account before the first deployment."""

from collections.abc import Callable
from functools import partial
from typing import Final

from quota_enforcer.core.policies.callers.doctor import BEFORE_NEEDS
from quota_enforcer.doctor.access import unmade
from quota_enforcer.doctor.before import account
from quota_enforcer.doctor.before.account import AccountUnderCheck
from quota_enforcer.doctor.before.traffic import ACCESS, AGAIN
from quota_enforcer.doctor.finding import Diagnosis, Finding
from quota_enforcer.doctor.run import HealthCheck

CHECKS: Final[dict[str, Callable[[AccountUnderCheck], Diagnosis]]] = {
    "traffic": account.regions,
    "accounts": account.accounts,
    "logging": account.logging,
    "coverage": account.coverage,
    "who may call": account.may_call,
    "who called": account.called,
    "shared roles": account.shared,
    "room for denies": account.room,
}


def checks_before(under_check: AccountUnderCheck) -> list[HealthCheck]:
    return [
        HealthCheck(name, partial(look, under_check), BEFORE_NEEDS[name])
        for name, look in CHECKS.items()
    ]


def unmade_before(under_check: AccountUnderCheck, check: HealthCheck, error: Exception) -> Finding:
    """The finding that a check could not be made."""
    return unmade(under_check.probe.problem(error), check.needs, ACCESS, AGAIN)
