"""Whether everybody with a quota that denies can be denied."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from quota_enforcer.core.notices.amounts import count
from quota_enforcer.core.policies.names import PROTECTED_PATHS
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.doctor.finding import Diagnosis, Finding, diagnosis, note, problem, warning
from quota_enforcer.doctor.fixes import deploy


@dataclass(frozen=True, slots=True)
class Entity:
    """A user or role in IAM: its path, and the managed policies attached to it, by ARN.

    `trust` is the text of a role's trust policy.
    """

    path: str
    policies: frozenset[str] = frozenset()
    rest: str = ""
    """A digest of what else decides what it may do: its own policies, groups and boundary."""
    trust: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Seat:
    """A user or role with quotas that deny; `needs` is how many policies they may take at once."""

    principal: Principal
    needs: int
    entity: Entity

    @property
    def is_protected(self) -> bool:
        """Whether the enforcer may not touch it."""
        return self.entity.path.startswith(PROTECTED_PATHS)


@dataclass(frozen=True, slots=True)
class Holder:
    """A limited user or role; `may` says in words what it could do to lift a limit.

    `others` is how many more have the same policies, groups and boundary, so may do the same.
    """

    name: str
    may: tuple[str, ...] = ()
    others: int = 0


@dataclass(frozen=True, slots=True)
class Shared:
    """A role that several people share, without a gate; `people` have quotas that deny.

    `boundary` is what it has in the gate's place, if anything.
    """

    shown: str
    people: tuple[str, ...]
    boundary: str = ""


def identities(
    seats: Sequence[Seat],
    ours: frozenset[str],
    slots: Mapping[Kind, int],
    others: Iterable[str],
    unknown: Sequence[str] = (),
) -> Diagnosis:
    """Whether users and roles have room for a deny, and may be touched.

    `ours` are the deny policies by ARN, `slots` how many managed policies a user or role may have
    attached, `others` callers who are neither, `unknown` whom quotas name and IAM does not know.
    """
    fine = f"{len(seats):,} with quotas that deny, each with room for it"
    return diagnosis(fine, [*_seats(seats, ours, slots), *_others(others), *_unknown(unknown)])


def _seats(
    seats: Sequence[Seat], ours: frozenset[str], slots: Mapping[Kind, int]
) -> Iterator[Finding]:
    protected = sorted(
        f"{seat.principal} ({seat.entity.path})" for seat in seats if seat.is_protected
    )
    if protected:
        yield warning(
            "the enforcer may not touch these, so their quotas only warn",
            f"their paths are among {', '.join(PROTECTED_PATHS)}",
            "quota-enforcer quota set SUBJECT NAME --action notify",
            "if the path is not meant, move them out of it instead",
            protected,
        )
    for kind in slots:
        free = {
            seat: slots[kind] - len(seat.entity.policies - ours)
            for seat in seats
            if seat.principal.kind is kind and not seat.is_protected
        }
        yield from _of_kind(kind, free, slots[kind])


def _of_kind(kind: Kind, free: Mapping[Seat, int], slots: int) -> Iterator[Finding]:
    """The findings about users, or about roles, by their free slots."""

    def those(in_question: Callable[[Seat, int], bool]) -> list[str]:
        return sorted(
            f"{seat.principal} ({slots - left} of {slots})"
            for seat, left in free.items()
            if in_question(seat, left)
        )

    seen = "managed policies attached, of those allowed"
    fix = (
        "detach managed policies that they do not need, or raise the account's quota: Service "
        f"Quotas' console in us-east-1, IAM > Managed policies per {kind}"
    )
    if full := those(lambda _, left: left <= 0):
        what = f"these {kind}s have no policy slot left, so they cannot be blocked"
        yield problem(what, seen, fix, about=full)
    if tight := those(lambda seat, left: 0 < left < seat.needs):
        what = f"these {kind}s have fewer free policy slots than their quotas may need at once"
        yield warning(what, seen, fix, about=tight)
    if last := those(lambda seat, left: 0 < left == seat.needs):
        yield note(f"these {kind}s have just as many free policy slots as a block may need", last)


def _others(others: Iterable[str]) -> Iterator[Finding]:
    about = sorted(others)
    if about:
        yield warning(
            "callers use Bedrock that no policy of this account can deny",
            "they are root, federated users, or of another account",
            "deny them Bedrock with a service control policy, or have them take a role",
            about=about,
        )


def _unknown(about: Sequence[str]) -> Iterator[Finding]:
    if about:
        yield warning(
            "quotas name users or roles that are not in IAM, so they limit nobody",
            "IAM was asked for all its users and roles",
            "quota-enforcer quota check",
            "it says which quotas: remove them, or write them for the right name",
            about,
        )


def shared_identities(
    seen: Sequence[Shared],
    ungated: Iterable[str],
    behind: int,
    stack: str,
    mixed: Sequence[str] = (),
) -> Diagnosis:
    """Whether people behind permission sets and shared roles can be denied by a gate.

    `ungated` are people with quotas that deny, if the stack keeps no gate at all; `behind` is how
    many roles were checked; `mixed` are the gates that permission sets and other roles name.
    """
    fine = (
        f"{count(behind, 'shared role')} with a gate, none without"
        if behind
        else "nobody needs a gate"
    )
    return diagnosis(fine, [*_ungated(sorted(ungated), stack), *_shared(seen), *_mixed(mixed)])


def _mixed(gates: Sequence[str]) -> Iterator[Finding]:
    if gates:
        yield warning(
            "a permission set and another role name the same gate",
            "people come first in it, so where they fill it, sessions of the role go on; and names "
            "that somebody makes up leave less of it to the role's other sessions",
            "quota-enforcer gates setup",
            "give the role a gate of its own; the stack's parameter Gates says how many there are",
            about=gates,
        )


def _ungated(people: Sequence[str], stack: str) -> Iterator[Finding]:
    if people:
        yield problem(
            "people behind shared identities have quotas that deny, and no gate to deny them with",
            "the stack's parameter Gates is 0",
            deploy(stack, Gates="1"),
            "then quota-enforcer sweep, and do what quota-enforcer gates setup says",
            about=people,
        )


def _shared(seen: Sequence[Shared]) -> Iterator[Finding]:
    for role in seen:
        has = f"its permissions boundary is {role.boundary}" if role.boundary else "it has none"
        what = f"{role.shown} does not name a gate as its permissions boundary"
        fix, then = "quota-enforcer gates setup", "it prints what to set, and where"
        if role.people:
            yield problem(
                f"{what}, so nobody behind it can be blocked", has, fix, then, role.people
            )
        else:
            yield warning(f"{what}; no quota denies anybody behind it yet", has, fix, then)


@dataclass(frozen=True, slots=True)
class Named:
    """A role in use, and the principals that choose its sessions' names.

    `limited` says that quotas limit its sessions, and not just the role as a whole.
    """

    role: str
    chosen_by: tuple[str, ...]
    limited: bool
    seen: int = 0
    """How many names were seen lately."""


def session_names(roles: Sequence[Named]) -> Diagnosis:
    """Whether a session's name says who it is, where quotas go by it."""
    free = [each for each in roles if each.chosen_by]
    fine = f"callers choose them in none of {count(len(roles), 'role')} in use"
    return diagnosis(fine if roles else "no role is in use", _session_names(free))


def _session_names(free: Sequence[Named]) -> Iterator[Finding]:
    def those(*, limited: bool) -> list[str]:
        return sorted(
            f"role/{each.role} ({count(each.seen, 'name')} seen; chosen by "
            f"{', '.join(each.chosen_by)})"
            for each in free
            if each.limited is limited
        )

    if about := those(limited=True):
        yield warning(
            "quotas limit sessions of these roles, and callers choose what a session is called, so "
            "whoever is blocked comes back under another name",
            "no condition of their trust policies binds sts:RoleSessionName to who calls",
            "quota-enforcer gates setup",
            "it prints the trust policy that does",
            about,
        )
    if about := those(limited=False):
        yield note(
            "callers choose what sessions of these roles are called; the roles count as a whole, "
            "so no quota goes by it",
            about,
        )


def keys_held(asked: Sequence[Holder], limited: int, account: str, stack: str) -> Diagnosis:
    """Whether somebody who is limited could lift the limit.

    `asked` are those of the `limited` users and roles that IAM was asked about.
    """
    known = sum(1 + holder.others for holder in asked)
    some = f"{known:,}" if known == limited else f"{known:,} looked at, of {limited:,}"
    fine = (
        f"none of {some} limited users and roles could lift a limit: IAM was asked about "
        f"{len(asked)}, one of each that may do the same"
    )
    able = [holder for holder in asked if holder.may]
    if not able:
        return diagnosis(fine if limited else "nobody is limited yet")
    finding = warning(
        f"{sum(1 + holder.others for holder in able):,} of {some} limited users and roles could "
        "lift a limit",
        f"IAM's policy simulator, asked about {len(asked)} for {known:,} of {limited:,}, since all "
        "with the same policies, groups and boundary may do the same; the organisation's policies "
        "included",
        f"quota-enforcer policy guard --account {account} --stack {stack} --admin-role ROLE",
        "attach what it prints in the organisation; without one, print it with --kind boundary "
        "for those named; or take what they do not need from their own policies",
        [f"{_and_others(holder)}: {', '.join(holder.may)}" for holder in able],
    )
    return diagnosis(fine, [finding])


def _and_others(holder: Holder) -> str:
    return f"{holder.name} and {holder.others:,} like it" if holder.others else holder.name
