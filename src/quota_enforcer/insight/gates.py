"""What IAM and the ledger say of the gates, and of the roles that several people share."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import GateIntent, GateIntentReads
from quota_enforcer.core.policies.boundary import percent_full
from quota_enforcer.core.principal import Kind, Principal, split_account
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.subject import Subject
from quota_enforcer.core.usage.stored import Source
from quota_enforcer.decide.rules.rule_set import RuleSet
from quota_enforcer.gates.document import denied_user_ids
from quota_enforcer.gates.ports import Gates
from quota_enforcer.gates.roles import BoundaryState, Role, boundary_state, permission_set, user_ids
from quota_enforcer.meter.log.appearances import Appearance, seen


@dataclass(frozen=True, slots=True)
class GatesKept:
    """The gates that a deployment keeps, by ARN, and how to look at them in IAM."""

    arns: tuple[str, ...]
    iam: Gates


@dataclass(frozen=True, slots=True)
class SharedRole:
    """A role that several people share; `people` are those seen behind it or named by quotas."""

    name: str
    people: tuple[str, ...]
    state: BoundaryState
    boundary: str = ""
    trust: str = ""
    """The text of its trust policy."""

    @property
    def permission_set(self) -> str:
        """The permission set that the role is of; empty for any other role."""
        return permission_set(self.name)

    @property
    def shown(self) -> str:
        """Its name as an admin knows it."""
        found = self.permission_set
        return f"permission set {found}" if found else f"role {self.name}"

    @property
    def is_open(self) -> bool:
        """Whether its people cannot be blocked."""
        return self.state in {BoundaryState.NOTHING, BoundaryState.ANOTHER}


@dataclass(frozen=True, slots=True)
class GateFound:
    """A gate: `denied` are the principals in it, `attached_to` those for whom it would grant.

    `percent` says how full it is; None before it is made.
    """

    arn: str
    percent: int | None
    denied: tuple[str, ...] = ()
    attached_to: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As the console's form asks for it."""
        return self.arn.rpartition("/")[2]

    @property
    def path(self) -> str:
        """As the console's form asks for it."""
        return f"{self.arn.partition(':policy')[2].rpartition('/')[0]}/"


def shared_roles(
    sources: Iterable[Source], account: str, loaded: RuleSet, kept: GatesKept, context: Context
) -> list[SharedRole]:
    """Every role of Identity Center, and every role with a quota for its sessions, at home."""
    people = _people(seen(sources, account), loaded, context)
    roles = {name: kept.iam.role(name) for name in sorted(people) if not split_account(name)[0]}
    return [
        SharedRole(
            name,
            tuple(sorted(map(str, people[name]))),
            boundary_state(role, kept.arns),
            "" if role is None else role.boundary,
            "" if role is None else role.trust,
        )
        for name, role in roles.items()
    ]


def named_by(roles: Iterable[SharedRole], *, people: bool) -> set[str]:
    """The gates, by ARN, that permission sets name, or that other roles name."""
    return {
        role.boundary
        for role in roles
        if role.state is BoundaryState.GATE and bool(role.permission_set) is people
    }


def mixed(roles: Sequence[SharedRole]) -> set[str]:
    """The gates, by ARN, that a permission set and another role name."""
    return named_by(roles, people=True) & named_by(roles, people=False)


def shared_elsewhere(
    sources: Iterable[Source], account: str, loaded: RuleSet, context: Context
) -> Mapping[str, tuple[str, ...]]:
    """By member account, the shared roles in it; whether they name a gate only the author sees."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name in _people(seen(sources, account), loaded, context):
        there, role = split_account(name)
        if there:
            set_ = permission_set(role)
            found[there].add(f"permission set {set_}" if set_ else f"role {role}")
    return {there: tuple(sorted(found[there])) for there in sorted(found)}


def gates(ledger: GateIntentReads, kept: GatesKept) -> Iterator[GateFound]:
    """Every gate of home as it is in IAM."""
    intents = ledger.gate_intents()
    names = {name for intent in intents for name in intent.roles if not split_account(name)[0]}
    roles = {name: kept.iam.role(name) for name in sorted(names)}
    for arn in kept.arns:
        document = kept.iam.document(arn)
        if document is None:
            yield GateFound(arn, None)
            continue
        yield GateFound(
            arn,
            percent_full(document),
            tuple(_denied(denied_user_ids(document), arn, intents, roles)),
            tuple(kept.iam.attached_to(arn)),
        )


def _people(
    appearances: Mapping[Principal, Appearance], loaded: RuleSet, context: Context
) -> Mapping[str, set[Principal]]:
    """The people behind each role, as far as a gate could have to deny them."""
    people: defaultdict[str, set[Principal]] = defaultdict(set)
    for principal, appears in appearances.items():
        if principal.kind is Kind.SSO or _has_quota(principal, loaded.book, context):
            for role in appears.roles:
                people[role].add(principal)
    for named in (each for rule in loaded.rules for each in (rule.subject, *rule.members)):
        if (subject := Subject(named)).of_sessions:
            shared = subject.role
            name = f"{shared.account}/{shared.name}" if shared.account else shared.name
            people[name] |= set() if subject.is_group else {subject.principal()}
    return people


def _has_quota(principal: Principal, book: QuotaBook, context: Context) -> bool:
    return bool(book.applicable_to(principal, context.now).quotas)


def _denied(
    user_ids_listed: Iterable[str],
    gate: str,
    intents: Iterable[GateIntent],
    roles: Mapping[str, Role | None],
) -> Iterator[str]:
    """The principals behind a gate's user ids, with their model scopes; an unexplained id stays."""
    unexplained = set(user_ids_listed)
    for name, role in roles.items():
        if role is not None and f"{role.id}:*" in unexplained:
            unexplained.remove(f"{role.id}:*")
            yield f"role/{name} (all its sessions)"
    for intent in intents:
        ids = set(user_ids(intent, gate, roles))
        if not ids.isdisjoint(unexplained):
            unexplained -= ids
            scopes = sorted(intent.scopes - {"*"})
            yield f"{intent.principal} ({', '.join(scopes)})" if scopes else str(intent.principal)
    yield from sorted(unexplained)
