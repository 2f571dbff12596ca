"""The checks of who is limited: can they be denied, are they, and by which rules."""

from collections.abc import Mapping
from typing import Final

from quota_enforcer.core.ledger import Record
from quota_enforcer.core.principal import GATED, Kind, Principal
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.usage.counts import Measure
from quota_enforcer.doctor.deployment import DeploymentUnderCheck
from quota_enforcer.doctor.finding import Diagnosis, diagnosis
from quota_enforcer.doctor.rules import coverage as deniable
from quota_enforcer.doctor.rules import denies as attached
from quota_enforcer.doctor.rules import documents
from quota_enforcer.doctor.rules import quotas as rules
from quota_enforcer.doctor.rules.coverage import Seat, Shared
from quota_enforcer.doctor.rules.denies import Denied
from quota_enforcer.doctor.rules.documents import GateSeen
from quota_enforcer.doctor.rules.quotas import InvalidItem
from quota_enforcer.gates.dry_run import dry_run_gates
from quota_enforcer.insight.gates import shared_roles

_NOTHING: Final[frozenset[str]] = frozenset()
_ENTITIES: Final = frozenset({Kind.USER, Kind.ROLE})


def users_and_roles(patient: DeploymentUnderCheck) -> Diagnosis:
    """Whether the deny of each has room."""
    entities = patient.probe.identities()
    seen = [record.principal for record in patient.everybody()]
    seats = [
        Seat(principal, _scopes(patient, principal), entities[principal])
        for principal in sorted(seen)
        if principal.kind in _ENTITIES and principal in entities and patient.denying(principal)
    ]
    others = [str(each) for each in seen if each.kind is Kind.OTHER]
    ours = frozenset(patient.settings.denies.values())
    return deniable.identities(seats, ours, patient.probe.slots(), others)


def _scopes(patient: DeploymentUnderCheck, principal: Principal) -> int:
    """How many model scopes may be denied to somebody at once: each takes a policy."""
    quotas = patient.denying(principal)
    return len({str(scope) for quota in quotas for scope in quota.models})


def shared(patient: DeploymentUnderCheck) -> Diagnosis:
    """Whether a gate stands before people behind shared roles."""
    stack = patient.settings.stack
    if not patient.settings.author:
        people = [
            str(each.principal)
            for each in patient.everybody()
            if each.principal.kind in GATED and patient.denying(each.principal)
        ]
        return deniable.shared_identities([], people, 0, stack)
    roles = shared_roles(
        patient.ledger.sources(),
        patient.settings.account,
        patient.ledger_rules(),
        patient.kept(),
        patient.settings.context(patient.now),
    )
    open_ = [
        Shared(
            role.shown,
            tuple(who for who in role.people if patient.denying(Principal.parse(who))),
            role.boundary,
        )
        for role in roles
        if role.is_open
    ]
    return deniable.shared_identities(open_, [], len(roles), stack)


def denies(patient: DeploymentUnderCheck) -> Diagnosis:
    """What IAM has attached, against the ledger."""
    really, unmanaged_attachments = patient.probe.denied()
    ledger = patient.ledger
    records = {record.principal: record for record in ledger.blocked()}
    records |= ledger.records(really.keys() - records.keys())
    seen = [_denied(records[who], really) for who in sorted(records)]
    return attached.denies(seen, unmanaged_attachments, patient.now)


def _denied(record: Record, really: Mapping[Principal, frozenset[str]]) -> Denied:
    return Denied(
        str(record.principal),
        record.standing.denied,
        really.get(record.principal, _NOTHING),
        unfinished=record.intended is not None,
        trouble=record.trouble,
        since=record.standing.since,
        indirect=record.principal.kind not in _ENTITIES,
    )


def deny_policies(patient: DeploymentUnderCheck) -> Diagnosis:
    """What the static denies say."""
    installed = patient.settings.denies
    found = {arn: patient.probe.document(arn) for arn in installed.values()}
    agent_core = patient.parameters().get("DenyAgentCore", "true") == "true"
    return documents.deny_policies(installed, found, agent_core=agent_core)


def gates(patient: DeploymentUnderCheck) -> Diagnosis:
    """What the gates say, by a run of the author that writes nothing."""
    if not patient.settings.author:
        return diagnosis("the stack keeps none")
    kept, write = patient.kept(), patient.probe.author().write
    found = dry_run_gates(patient.probe.gate_memory(), kept.iam, kept.arns, write)
    return documents.gates(
        [
            GateSeen(
                each.arn,
                made=each.current is not None,
                foreign=each.wanted is not None,
                missing=each.missing,
                idle=each.idle,
                percent=each.percent,
                nearly_full=each.nearly_full,
                holders=each.holders,
            )
            for each in found
        ],
        patient.settings.stack,
    )


def quotas(patient: DeploymentUnderCheck) -> Diagnosis:
    """Whether every item is valid, and who has none."""
    loaded = patient.quotas()
    invalid = [InvalidItem(each.principal, each.quota, each.reason) for each in loaded.invalid]
    book, now = loaded.book, patient.now
    free = [
        str(each.principal)
        for each in patient.everybody()
        if each.principal.kind in _ENTITIES | {Kind.SSO} and not book.of(each.principal, now).quotas
    ]
    return rules.quotas(len(loaded.rules) + len(loaded.prices), invalid, free)


def prices(patient: DeploymentUnderCheck) -> Diagnosis:
    """Whether every model that was used has a price."""
    unknown = [each.model for each in patient.ledger.price_memories() if not each.priced]
    by_cost = (
        isinstance(rule, Quota) and rule.measure is Measure.COST_USD
        for rule in patient.quotas().rules
    )
    return rules.prices(unknown, matter=any(by_cost))


def mode(patient: DeploymentUnderCheck) -> Diagnosis:
    """Whether quotas block at present."""
    settings = patient.settings
    return rules.acting(settings.mode, patient.state().breaker_since, settings.stack)
