"""The checks of who is limited: can they be denied, are they, and by which rules."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.pricing.catalog.shipped import shipped_on
from quota_enforcer.core.pricing.item import renewed_on
from quota_enforcer.core.principal import GATED, Kind, Principal
from quota_enforcer.core.quotas.quota import Quota, named_by
from quota_enforcer.core.quotas.subject import QuotaId, Subject
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.counts import Measure
from quota_enforcer.core.usage.window import local_date
from quota_enforcer.doctor.deployment import DeploymentUnderCheck
from quota_enforcer.doctor.finding import Diagnosis, diagnosis
from quota_enforcer.doctor.rules import coverage as coverage_rules
from quota_enforcer.doctor.rules import denies as deny_rules
from quota_enforcer.doctor.rules import quotas as quota_rules
from quota_enforcer.doctor.rules.coverage import Named, Seat, Shared
from quota_enforcer.doctor.rules.denies import Denied, GateSeen
from quota_enforcer.doctor.rules.quotas import CoverageSeen, InvalidItem
from quota_enforcer.gates.dry_run import dry_run_gates
from quota_enforcer.gates.trust.entrances import callers_name_themselves
from quota_enforcer.insight.gates import mixed, shared_roles
from quota_enforcer.insight.quotas.coverage import coverage_of_usage, covered_since
from quota_enforcer.insight.quotas.names import unknown_among
from quota_enforcer.meter.log.appearances import seen

_NOTHING: Final[frozenset[str]] = frozenset()
_ENTITIES: Final = frozenset({Kind.USER, Kind.ROLE})


def users_and_roles(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Whether each user and role has room for its denies."""
    entities = deployment.identities()
    seen = [record.principal for record in deployment.everybody()]
    seats = [
        Seat(principal, _scopes(deployment, principal), entities[principal])
        for principal in sorted(seen)
        if principal.kind in _ENTITIES and principal in entities and deployment.denying(principal)
    ]
    others = [str(each) for each in seen if each.kind is Kind.OTHER]
    ours = frozenset(deployment.settings.denies.values())
    named = named_by(deployment.quotas().rules)
    unknown = [each.brief for each in unknown_among(named, entities.keys())]
    return coverage_rules.identities(seats, ours, deployment.probe.slots(), others, unknown)


def _scopes(deployment: DeploymentUnderCheck, principal: Principal) -> int:
    """How many model scopes may be denied to somebody at once: each takes a policy."""
    quotas = deployment.denying(principal)
    return len({str(scope) for quota in quotas for scope in quota.denies})


def shared(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Whether a gate stands before people behind shared roles."""
    stack = deployment.settings.stack
    if not deployment.settings.author:
        people = [
            str(each.principal)
            for each in deployment.everybody()
            if each.principal.kind in GATED and deployment.denying(each.principal)
        ]
        return coverage_rules.shared_identities([], people, 0, stack)
    roles = shared_roles(
        deployment.ledger.sources(),
        deployment.settings.account,
        deployment.ledger_rules(),
        deployment.kept(),
        deployment.settings.context(deployment.now),
    )
    open_ = [
        Shared(
            role.shown,
            tuple(who for who in role.people if deployment.denying(Principal.parse(who))),
            role.boundary,
        )
        for role in roles
        if role.is_open
    ]
    return coverage_rules.shared_identities(open_, [], len(roles), stack, sorted(mixed(roles)))


def session_names(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Whether callers of the roles in use choose what their sessions are called."""
    entities = deployment.identities()
    names: defaultdict[Principal, set[str]] = defaultdict(set)
    for principal in seen(deployment.ledger.sources(), deployment.settings.account):
        if principal.kind is Kind.SESSION:
            names[principal.of_role].add(principal.session)
    rules = deployment.quotas().rules
    subjects = [Subject(each) for rule in rules for each in (rule.subject, *rule.members)]
    limited = {subject.role for subject in subjects if subject.of_sessions}
    found = {each: entities.get(each) for each in names.keys() | limited}
    return coverage_rules.session_names(
        [
            Named(
                each.name,
                tuple(callers_name_themselves(role.trust)),
                limited=each in limited,
                seen=len(names[each]),
            )
            for each, role in sorted(found.items())
            if role is not None
        ]
    )


def denies(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Whether IAM has attached what the ledger says.

    A member account's roles are taken by the enforcer alone, so of that what it noted is told.
    """
    really, unmanaged_attachments = deployment.probe.denied()
    ledger = deployment.ledger
    records = {record.principal: record for record in ledger.blocked()}
    records |= ledger.records(really.keys() - records.keys())
    seen = [_denied(records[who], really) for who in sorted(records)]
    members = deployment.members()
    return deny_rules.denies(seen, unmanaged_attachments, deployment.now, members)


def _denied(record: Record, really: Mapping[Principal, frozenset[str]]) -> Denied:
    return Denied(
        str(record.principal),
        record.standing.denied,
        really.get(record.principal, _NOTHING),
        unfinished=record.intended is not None,
        trouble=record.trouble,
        since=record.standing.since,
        indirect=record.principal.kind not in _ENTITIES or bool(record.principal.account),
    )


def deny_policies(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Whether the deny policies say what the template wrote."""
    installed = deployment.settings.denies
    found = {arn: deployment.probe.document(arn) for arn in installed.values()}
    agent_core = deployment.parameters().get("DenyAgentCore", "true") == "true"
    return deny_rules.deny_policies(installed, found, agent_core=agent_core)


def gates(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Whether the gates say what the author would write, by a dry run of the author."""
    if not deployment.settings.author:
        return diagnosis("the stack keeps none")
    kept, write = deployment.kept(), deployment.probe.author().write
    found = dry_run_gates(deployment.probe.gate_memory(), kept.iam, kept.arns, write)
    return deny_rules.gates(
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
        deployment.settings.stack,
        deployment.members(),
    )


def quotas(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Whether every item is valid, and how much usage no quota counts."""
    loaded = deployment.quotas()
    invalid = [InvalidItem(each.principal, each.quota, each.reason) for each in loaded.invalid]
    context = deployment.settings.context(deployment.now)
    known = (each.principal for each in deployment.everybody())
    principals = [principal for principal in known if principal.kind is not Kind.TEAM]
    usages = _whole(deployment.sample(principals, covered_since(context)), principals)
    covered = CoverageSeen(
        coverage_of_usage(usages, loaded.book, context), len(usages), len(principals)
    )
    by_stream = deployment.settings.metering is Metering.STREAM
    uncounted = [
        QuotaId(rule.subject, rule.name)
        for rule in loaded.rules
        if isinstance(rule, Quota) and rule.by_the_minute and not by_stream
    ]
    valid = len(loaded.rules) + len(loaded.prices)
    return quota_rules.quotas(valid, invalid, covered, uncounted)


def _whole(
    usages: Mapping[Principal, Usage], known: Iterable[Principal]
) -> Mapping[Principal, Usage]:
    """Without roles of whose sessions some were not read: that usage is in the role's, too."""
    parted = {each.of_role for each in known if each.kind is Kind.SESSION and each not in usages}
    return {who: used for who, used in usages.items() if who not in parted}


def prices(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Whether every model that was used has a price, and how old the list of prices is."""
    unknown = [each.model for each in deployment.ledger.price_memories() if not each.priced]
    by_cost = (
        isinstance(rule, Quota) and rule.measure is Measure.COST_USD
        for rule in deployment.quotas().rules
    )
    as_of = max((renewed_on(item) for item in deployment.items()), default=date.min)
    today = local_date(deployment.now, deployment.settings.zone)
    newest = max(as_of, shipped_on())
    return quota_rules.prices(unknown, newest, today, matter=any(by_cost))


def mode(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Whether quotas block at present."""
    settings = deployment.settings
    return quota_rules.acting(settings.mode, deployment.state(), deployment.now, settings.stack)
