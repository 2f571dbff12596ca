"""Who may call Bedrock, who did, which roles are shared, and whether a deny could reach them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from quota_enforcer.core.errors import UnknownIdentity
from quota_enforcer.core.notices.amounts import count
from quota_enforcer.core.policies.names import PROTECTED_PATHS
from quota_enforcer.core.principal import Kind, identify
from quota_enforcer.doctor.before.facts import CallSeen
from quota_enforcer.doctor.before.grants import CallerByPolicy
from quota_enforcer.doctor.finding import Diagnosis, Finding, diagnosis, note, problem, warning
from quota_enforcer.doctor.fixes import age, at
from quota_enforcer.gates.roles import permission_set
from quota_enforcer.gates.trust.entrances import NamedBy, callers_name_themselves, entrances

_NEVER: Final = "never used, or not for 400 days"


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom IAM's simulator was asked about; `refused` are those that it does not let call."""

    callers: Sequence[CallerByPolicy]
    asked: int = 0
    refused: frozenset[str] = frozenset()
    """By principal; a caller whose policies have conditions is never among them."""

    @property
    def allowed(self) -> list[CallerByPolicy]:
        return [each for each in self.callers if str(each.identity.principal) not in self.refused]


def shown(caller: CallerByPolicy) -> str:
    """A user or role as an admin knows it."""
    found = permission_set(caller.identity.principal.name)
    return f"permission set {found}" if found else str(caller.identity.principal)


def is_shared(caller: CallerByPolicy) -> bool:
    """Whether several people may be behind a role."""
    return any(each.many for each in entrances(caller.identity.trust))


def who_may_call(seen: Asked, everybody: int, now: datetime) -> Diagnosis:
    """Who may call Bedrock, and through which groups and roles."""
    allowed = seen.allowed
    users = [each for each in allowed if each.identity.principal.kind is Kind.USER]
    sets = [each for each in allowed if permission_set(each.identity.principal.name)]
    roles = [each for each in allowed if each not in users and each not in sets]
    known = count(everybody, "user and role", "users and roles")
    fine = f"{len(allowed):,} of {known} may" if allowed else f"nobody may, of {known}"
    return diagnosis(fine, _callers(users, sets, roles, seen, now))


def _callers(
    users: Sequence[CallerByPolicy],
    sets: Sequence[CallerByPolicy],
    roles: Sequence[CallerByPolicy],
    seen: Asked,
    now: datetime,
) -> Iterator[Finding]:
    of_center = " of Identity Center"
    several = (("user", "", users), ("permission set", of_center, sets), ("role", "", roles))
    for what, whose, those in several:
        if those:
            yield note(
                f"{count(len(those), what)}{whose} may call Bedrock",
                [_words(each, now) for each in those],
            )
    if seen.callers:
        yield note(
            f"IAM's simulator was asked about {seen.asked:,} of the {len(seen.callers):,} whom "
            f"policies let call, and refuses {len(seen.refused):,} of them: boundaries and the "
            "organisation's policies count there, conditions do not",
            sorted(seen.refused),
        )


def _words(caller: CallerByPolicy, now: datetime) -> str:
    facts = [", ".join(caller.ways)]
    if caller.through:
        facts.append(f"by group {', '.join(caller.through)}")
    if caller.is_conditional:
        facts.append("under conditions")
    if caller.identity.principal.kind is Kind.ROLE:
        facts.append(_used(caller, now))
    return f"{shown(caller)} ({'; '.join(facts)})"


def _used(caller: CallerByPolicy, now: datetime) -> str:
    last = caller.identity.last_used
    return f"last used {age(now - last)} ago" if last else _NEVER


def who_called(calls: Sequence[CallSeen], regions: Sequence[str], account: str) -> Diagnosis:
    """Who called Bedrock lately, as CloudTrail's event history has it without any trail."""
    where = ", ".join(regions) or "any Region"
    if not calls:
        return diagnosis(f"the event history has no call in {where}")
    found: Counter[str] = Counter(map(str, principals_seen(calls, account)))
    since = min(each.at for each in calls)
    what = (
        f"of the newest {count(len(calls), 'call')} in {where}, since {at(since)}, these made them"
    )
    about = [f"{who} ({count(number, 'call')})" for who, number in found.most_common()]
    return diagnosis(f"{count(len(found), 'caller')} seen", [note(what, about)])


def principals_seen(calls: Iterable[CallSeen], account: str) -> Iterator[str]:
    """The principal of each call; the session's where a role has sessions."""
    for call in calls:
        try:
            identity = identify(call.arn, account)
        except UnknownIdentity:
            continue
        yield str(identity.session or identity.principal)


def session_names_seen(calls: Iterable[CallSeen], account: str) -> Mapping[str, set[str]]:
    """The session names of each role, permission sets' among them."""
    names: dict[str, set[str]] = {}
    for call in calls:
        before, _, rest = call.arn.partition(":assumed-role/")
        if rest and f":{account}" in before:
            role, _, name = rest.partition("/")
            names.setdefault(role, set()).add(name)
    return names


def shared_roles_found(
    callers: Sequence[CallerByPolicy], names: Mapping[str, set[str]], now: datetime
) -> Diagnosis:
    """Which roles several people may be behind, and which let callers choose their name."""
    roles = [each for each in callers if each.identity.principal.kind is Kind.ROLE]
    shared = [each for each in roles if is_shared(each)]
    fine = f"{len(shared) or 'none'} of {count(len(roles), 'role')} that may call shared"
    return diagnosis(fine, _shared(shared, names, now))


def _shared(
    shared: Sequence[CallerByPolicy], names: Mapping[str, set[str]], now: datetime
) -> Iterator[Finding]:
    def those(*, free: bool) -> list[str]:
        return [
            f"{shown(each)} ({_behind(each, names)}; {_used(each, now)})"
            for each in shared
            if bool(chosen_by_callers(each)) is free
        ]

    if about := those(free=False):
        yield note("these roles are shared, and a session's name says whose it is", about)
    if about := those(free=True):
        yield warning(
            "these roles are shared, and callers choose what a session is called, so a quota can "
            "only go by the role as a whole",
            "no condition of their trust policies binds sts:RoleSessionName to who calls",
            "quota-enforcer gates setup",
            "once deployed: it prints a trust policy that does, for roles with a quota for "
            "session/ROLE/*; or count the role as a whole",
            about,
        )


def chosen_by_callers(caller: CallerByPolicy) -> list[str]:
    """Who chooses a role's session names; nobody does for a permission set."""
    if permission_set(caller.identity.principal.name):
        return []
    return callers_name_themselves(caller.identity.trust)


def _behind(caller: CallerByPolicy, names: Mapping[str, set[str]]) -> str:
    let_in = [each.principal for each in entrances(caller.identity.trust)
              if each.named_by is not NamedBy.SERVICE]  # fmt: skip
    known = sorted(names.get(caller.identity.principal.name, ()))
    seen = f"{count(len(known), 'session name')} seen: {', '.join(known[:3])}" if known else ""
    return "; ".join(filter(None, [f"trusts {', '.join(let_in)}", seen]))


def room_for_denies(callers: Sequence[CallerByPolicy], slots: Mapping[Kind, int]) -> Diagnosis:
    """Whether those who may call have a free policy slot, and a free boundary where it takes one.

    A user or role is denied by a managed policy, people behind a shared role by its boundary.
    """
    reached = [each for each in callers if not each.identity.path.startswith(PROTECTED_PATHS)]
    gated = [each for each in callers if is_shared(each) or _is_set(each)]
    fine = (
        f"a free policy slot: {count(len(reached), 'user or role', 'users and roles')}; a free "
        f"boundary: {count(len(gated), 'shared role or permission set', 'shared roles')}"
    )
    return diagnosis(fine, [*_slots(reached, slots), *_protected(callers), *_boundaries(gated)])


def _is_set(caller: CallerByPolicy) -> bool:
    return bool(permission_set(caller.identity.principal.name))


def _slots(callers: Sequence[CallerByPolicy], slots: Mapping[Kind, int]) -> Iterator[Finding]:
    for kind, most in slots.items():
        full = [
            f"{each.identity.principal} ({len(each.identity.managed)} of {most})"
            for each in callers
            if each.identity.principal.kind is kind and len(each.identity.managed) >= most
        ]
        if full:
            yield problem(
                f"these {kind}s have no policy slot left, so they could not be blocked",
                "managed policies attached, of those allowed",
                "detach managed policies that they do not need, or raise the account's quota: "
                f"Service Quotas' console in us-east-1, IAM > Managed policies per {kind}",
                about=full,
            )


def _protected(callers: Sequence[CallerByPolicy]) -> Iterator[Finding]:
    about = [
        f"{each.identity.principal} ({each.identity.path})"
        for each in callers
        if each.identity.path.startswith(PROTECTED_PATHS) and not _is_set(each)
    ]
    if about:
        yield note("these may not be touched by an enforcer, so quotas would only warn", about)


def _boundaries(gated: Sequence[CallerByPolicy]) -> Iterator[Finding]:
    taken = [
        f"{shown(each)} ({each.identity.boundary})" for each in gated if each.identity.boundary
    ]
    if taken:
        yield warning(
            "people behind these are blocked by a permissions boundary, and its place is taken",
            "a role has one boundary",
            "put what that boundary limits into a policy that denies all but what it allows (Deny "
            "with NotAction), or into a service control policy",
            "then the gate takes its place: quota-enforcer gates setup, once deployed",
            taken,
        )
