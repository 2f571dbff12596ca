"""The check of who could lift their own limit, as IAM itself decides."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Final

from quota_enforcer.core.policies.guard.keys import KeyTargets, keys
from quota_enforcer.core.principal import GATED, Kind, Principal, split_account
from quota_enforcer.doctor.deployment import DeploymentUnderCheck
from quota_enforcer.doctor.finding import Diagnosis
from quota_enforcer.doctor.rules.coverage import Entity, Holder, keys_held
from quota_enforcer.meter.log.appearances import seen

SAMPLE: Final = 12
"""Users and roles that IAM is asked about at most: it answers few such questions a second."""
_AT_ONCE: Final = 3


def held(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Whether users and roles with quotas that deny may do what lifts a limit."""
    everybody = sorted(set(_limited(deployment)))
    identities = deployment.identities()
    known = [who for who in everybody if who in identities]
    alike = _alike(known, identities, frozenset(deployment.settings.denies.values()))
    asked = sampled(alike, SAMPLE, deployment.now.date())
    lock = _lock(deployment)

    def holder(several: Sequence[Principal]) -> Holder:
        who = several[0]
        arn = _arn(deployment, who, identities[who].path)
        may = deployment.probe.may(arn, keys(lock, arn))
        return Holder(str(who), tuple(key.words for key in may), len(several) - 1)

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
                account, name = split_account(role)
                yield Principal(Kind.ROLE, name, account)


def _alike(
    known: Iterable[Principal], identities: Mapping[Principal, Entity], denies: frozenset[str]
) -> list[list[Principal]]:
    """Those together who have the same but for our denies, the most first."""
    alike: defaultdict[tuple[object, ...], list[Principal]] = defaultdict(list)
    for who in known:
        entity = identities[who]
        alike[who.kind, entity.path, entity.policies - denies, entity.rest].append(who)
    return sorted(alike.values(), key=lambda several: (-len(several), several[0]))


def sampled(
    alike: Sequence[Sequence[Principal]], number: int, today: date
) -> list[Sequence[Principal]]:
    """So many of them: half are the largest, and of the others more each day, until all had a turn.

    Who alone holds a key is most often somebody with policies that nobody else has.
    """
    if len(alike) <= number:
        return list(alike)
    largest, others = alike[: number // 2], alike[number // 2 :]
    turns = number - len(largest)
    first = today.toordinal() * turns
    return [*largest, *(others[(first + turn) % len(others)] for turn in range(turns))]


def _lock(deployment: DeploymentUnderCheck) -> KeyTargets:
    def part(service: str, prefix: str, name: str) -> str:
        found = deployment.part(name)
        return deployment.arn(service, f"{prefix}{found}") if found else ""

    return KeyTargets(
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
