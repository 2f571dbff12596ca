"""The check of who could lift their own limit, as IAM itself decides."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from quota_enforcer.core.policies.guard.keys import Lock, keys
from quota_enforcer.core.principal import GATED, Kind, Principal
from quota_enforcer.doctor.deployment import DeploymentUnderCheck
from quota_enforcer.doctor.finding import Diagnosis
from quota_enforcer.doctor.rules.coverage import Holder, keys_held
from quota_enforcer.meter.appearances import seen

SAMPLE: Final = 6
"""Users and roles that IAM is asked about: it answers few such questions a second."""
_AT_ONCE: Final = 3
_Any = TypeVar("_Any")


def held(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Whether users and roles with quotas that deny may do what lifts a limit."""
    everybody = sorted(set(_limited(deployment)))
    identities = deployment.identities()
    known = [who for who in everybody if who in identities]
    asked = _spread(known, SAMPLE)
    lock = _lock(deployment)

    def holder(who: Principal) -> Holder:
        arn = _arn(deployment, who, identities[who].path)
        may = deployment.probe.may(arn, keys(lock, arn))
        return Holder(str(who), tuple(key.words for key in may))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        holders = list(pool.map(holder, asked))
    settings = deployment.settings
    return keys_held(holders, len(known), settings.account, settings.stack)


def _limited(deployment: DeploymentUnderCheck) -> Iterator[Principal]:
    """Users and roles with quotas that deny, and the roles that such people are behind."""
    appearances = seen(deployment.ledger.sources(), deployment.settings.account)
    for record in deployment.everybody():
        who = record.principal
        if not deployment.denying(who):
            continue
        if who.kind in {Kind.USER, Kind.ROLE}:
            yield who
        elif who.kind in GATED and who in appearances:
            for role in appearances[who].roles:
                yield Principal(Kind.ROLE, role)


def _spread(of: Sequence[_Any], number: int) -> list[_Any]:
    """So many of them, from the first to the last."""
    if len(of) <= number:
        return list(of)
    return [of[index * (len(of) - 1) // (number - 1)] for index in range(number)]


def _lock(deployment: DeploymentUnderCheck) -> Lock:
    def part(service: str, prefix: str, name: str) -> str:
        found = deployment.part(name)
        return deployment.arn(service, f"{prefix}{found}") if found else ""

    return Lock(
        quota_table=part("dynamodb", "table/", "QuotaTable"),
        ledger_table=part("dynamodb", "table/", "LedgerTable"),
        enforcer=part("lambda", "function:", "EnforcerFunction"),
        meter=part("lambda", "function:", "MeterFunction"),
        stack=deployment.arn("cloudformation", f"stack/{deployment.settings.stack}/any"),
        log=deployment.arn("logs", f"log-group:{deployment.meter().log_group}"),
        deny=deployment.settings.denies["*"],
    )


def _arn(deployment: DeploymentUnderCheck, who: Principal, path: str) -> str:
    account = deployment.settings.account
    return f"arn:{deployment.partition}:iam::{account}:{who.kind}{path}{who.name}"
