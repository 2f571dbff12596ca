"""Who is metered: principals, and how an identity ARN of the invocation log names one."""

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple, Self

from quota_enforcer.core.errors import UnknownIdentity


class Kind(StrEnum):
    """What a principal is; the word before the slash in `user/alice`."""

    USER = "user"
    ROLE = "role"
    SSO = "sso"
    SESSION = "session"
    TEAM = "team"
    OTHER = "other"


PEOPLE = (Kind.USER, Kind.SSO)
"""The kinds that are one person each; a role or a session may be anybody, or a machine."""


@dataclass(frozen=True, slots=True, order=True)
class Principal:
    """One metered identity, written `kind/name`, in a member account `ACCOUNT/kind/name`.

    `user/alice` is an IAM user, `role/reporting` a role with all its sessions together,
    `sso/alice@example.com` an Identity Center user whatever the permission set (lower case, since
    identity providers change it), `session/reporting/ci-42` one session name of a role,
    `team/research` named members, and `other/ARN` whom IAM cannot deny by policy: root, federated
    users, other accounts.
    """

    kind: Kind
    name: str
    account: str = ""
    """The member account that it is of; empty for the home account, and for whoever is of none:
    an Identity Center user is one person over all accounts."""

    def __str__(self) -> str:
        if self.account:
            return f"{self.account}/{self.kind}/{self.name}"
        return f"{self.kind}/{self.name}"

    @property
    def role(self) -> str:
        """The name of the role that a session is of."""
        return self.name.partition("/")[0]

    @property
    def session(self) -> str:
        """A session's own name."""
        return self.name.partition("/")[2]

    @property
    def of_role(self) -> "Principal":
        """The role that a session is of."""
        return Principal(Kind.ROLE, self.role, self.account)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `kind/name`; raises UnknownIdentity with the forms that are allowed."""
        account, own = split_account(text)
        kind, _, name = own.partition("/")
        pattern = "*" in name and kind != Kind.OTHER
        if kind not in _KINDS or not name or pattern:
            raise UnknownIdentity(
                f"{text[:200]!r} is no principal: write user/NAME, role/NAME, sso/NAME, "
                "session/ROLE/NAME or team/NAME; what is of a member account has its number before "
                "it: 444455556666/role/NAME",
            )
        if account and kind not in _OF_AN_ACCOUNT:
            raise UnknownIdentity(
                f"{text[:200]!r} is no principal: only users, roles and sessions are of an "
                f"account; write {own[:200]}",
            )
        if kind == Kind.SESSION and not all(name.partition("/")[::2]):
            raise UnknownIdentity(f"{text[:200]!r} is no session: write session/ROLE/NAME")
        return cls(Kind(kind), name.lower() if kind == Kind.SSO else name, account)

    @classmethod
    def stored(cls, text: str) -> Self:
        """Read back what `str` wrote, without checking it."""
        account, own = split_account(text)
        kind, _, name = own.partition("/")
        return cls(Kind(kind), name, account)


_KINDS = frozenset(Kind)
_OF_AN_ACCOUNT = frozenset({Kind.USER, Kind.ROLE, Kind.SESSION})
_DIGITS = 12
"""Of an account's number."""


def split_account(text: str) -> tuple[str, str]:
    """The account number before a principal or a group, and the rest; empty where there is none."""
    number = text[:_DIGITS]
    if text[_DIGITS : _DIGITS + 1] == "/" and number.isascii() and number.isdecimal():
        return number, text[_DIGITS + 1 :]
    return "", text


class Identity(NamedTuple):
    """What one identity ARN says: the principal, and the session if it is a role's."""

    principal: Principal
    session: Principal | None = None


_ARN = re.compile(r"arn:aws[\w-]*:(?P<service>iam|sts)::(?P<account>\d{12}):(?P<resource>.+)")

MASK = "***"
"""What a log group's data protection policy writes over text, a star for each character."""
MASKED = (
    "masked, as by a data protection policy of the log group: nobody can tell who called; "
    "`quota-enforcer doctor` looks for such a policy"
)
_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
"""What IAM and STS allow in names; anything else would be forged, such as a user named `*`.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

SSO_ROLE = "AWSReservedSSO_"
"""How the roles of permission sets begin; nobody else may make such."""
_SSO_ROLE = re.compile(rf"{SSO_ROLE}.+_[0-9a-f]{{16}}")


def identify(arn: str, account: str, home: str = "") -> Identity:
    """The principal that an `identity.arn` names in the invocation log of `account`.

    `home` is the home account if that is another one: then who is of `account` has its number.
    An ARN of another account is `other/ARN`: its user must not be taken for ours of the same name,
    and no account's log can name the people of another one. Identity Center people are the same
    in all accounts: an organisation has one instance that gives permission sets, and IAM lets
    nobody else make roles of that name.
    Raises UnknownIdentity for anything that is no IAM or STS ARN, has a name that IAM refuses, or
    is masked.
    Forms: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    if MASK in arn:
        raise UnknownIdentity(f"{arn[:200]!r} is {MASKED}")
    match = _ARN.fullmatch(arn)
    if match is None:
        raise UnknownIdentity(
            f"{arn[:200]!r} is no identity ARN: expected "
            "arn:aws:iam::ACCOUNT:user/NAME or arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION",
        )
    service, of, resource = match.groups()
    if of != account:
        return Identity(Principal(Kind.OTHER, arn))
    member = "" if home in {"", account} else account
    kind, slash, rest = resource.partition("/")
    match service, kind:
        case ["iam", "user" | "role"] if slash:
            _, _, name = rest.rpartition("/")
            return Identity(Principal(Kind(kind), _checked(name, arn), member))
        case ["sts", "assumed-role"] if rest.count("/") == 1:
            role, _, session = rest.partition("/")
            _checked(role, arn)
            _checked(session, arn)
            if _SSO_ROLE.fullmatch(role):
                return Identity(Principal(Kind.SSO, session.lower()))
            return Identity(
                Principal(Kind.ROLE, role, member), Principal(Kind.SESSION, rest, member)
            )
        case _:
            return Identity(Principal(Kind.OTHER, arn))


def account_of(arn: str) -> str:
    """The account that an identity ARN names; empty if it is none."""
    match = _ARN.fullmatch(arn)
    return match["account"] if match else ""


def _checked(name: str, arn: str) -> str:
    if not _NAME.fullmatch(name):
        raise UnknownIdentity(
            f"{arn[:200]!r} has the name {name[:200]!r}, which IAM does not allow: expected "
            "at most 64 letters, digits and any of +=,.@_-",
        )
    return name


def can_exist(principal: Principal) -> bool:
    """Whether anybody can have this name: a quota for `user/path/alice` would count nothing."""
    match principal.kind:
        case Kind.TEAM | Kind.OTHER:
            return principal.name == principal.name.strip()
        case Kind.SESSION:
            return all(map(_NAME.fullmatch, (principal.role, principal.session)))
        case _:
            return _NAME.fullmatch(principal.name) is not None


GATED = frozenset({Kind.SSO, Kind.SESSION})
"""Who shares a role with others, so that only a gate can deny them."""


def why_not_deniable(
    principal: Principal, *, gated: bool, reached: Container[str] = ()
) -> str | None:
    """Why no deny can reach this kind of principal; None if one can.

    `gated` says whether the deployment keeps gates, `reached` are the member accounts in which it
    may deny. A team is denied through its members.
    """
    if principal.account and principal.account not in reached:
        return (
            f"account {principal.account} has no satellite of this deployment, so nobody there "
            "can be denied: roll out satellite.yaml to it"
        )
    match principal.kind:
        case Kind.USER | Kind.ROLE | Kind.TEAM:
            return None
        case Kind.SSO | Kind.SESSION if gated:
            return None
        case Kind.SSO:
            return (
                "Identity Center roles cannot be modified through IAM, so this person cannot be "
                "blocked without a gate: set the stack's parameter Gates"
            )
        case Kind.SESSION:
            return (
                "one session of a shared role cannot be denied without denying the whole role, so "
                "it cannot be blocked without a gate: set the stack's parameter Gates"
            )
        case Kind.OTHER:
            return (
                "root, federated users and identities of other accounts "
                "cannot be denied by an IAM policy of this account"
            )


_BETWEEN = re.compile(r",(?=\s*(?:(?:\d{12}/)?(?:user|role|sso|session|team)/|\d{12}/\*|arn:))")
"""A comma between principals; names of IAM may have commas too."""


def canonical(subject: str, home: str) -> str:
    """A subject as quota items name it: an ARN as its principal, Identity Center in lower case.

    What is of the home account has no number. What is neither principal nor ARN stays as it is,
    for validation to judge.
    """
    try:
        if subject.startswith("arn:"):
            return str(identify(subject, account_of(subject), home).principal)
        principal = Principal.parse(subject)
    except UnknownIdentity:
        return subject
    return str(replace(principal, account="") if principal.account == home else principal)


def split_principals(texts: Iterable[str]) -> list[str]:
    """Each principal of some texts, each of which may name several: `user/a,user/b`."""
    return [each.strip() for text in texts for each in _BETWEEN.split(text)]
