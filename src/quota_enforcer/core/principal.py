"""Who is metered: principals, and how an identity ARN of the invocation log names one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from quota_enforcer.core.errors import UnknownIdentity


class Kind(StrEnum):
    """What a principal is; the word before the slash in `user/alice`."""

    USER = "user"
    ROLE = "role"
    SSO = "sso"
    SESSION = "session"
    TEAM = "team"
    OTHER = "other"


@dataclass(frozen=True, slots=True, order=True)
class Principal:
    """One metered identity, written `kind/name`.

    `user/alice` is an IAM user, `role/reporting` a role with all its sessions together,
    `sso/alice@example.com` an Identity Center user whatever the permission set (lower case, since
    identity providers change it), `session/reporting/ci-42` one session name of a role,
    `team/research` named members, and `other/ARN` whom IAM cannot deny by policy: root, federated
    users, other accounts.
    """

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def role(self) -> str:
        """The name of the role that a session is of."""
        return self.name.partition("/")[0]

    @property
    def session(self) -> str:
        """A session's own name."""
        return self.name.partition("/")[2]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `kind/name`; raises UnknownIdentity with the forms that are allowed."""
        kind, _, name = text.partition("/")
        pattern = "*" in name and kind != Kind.OTHER
        if kind not in set(Kind) or not name or pattern:
            raise UnknownIdentity(
                f"{text[:200]!r} is no principal: write user/NAME, role/NAME, sso/NAME, "
                "session/ROLE/NAME or team/NAME",
            )
        if kind == Kind.SESSION and not all(name.partition("/")[::2]):
            raise UnknownIdentity(f"{text[:200]!r} is no session: write session/ROLE/NAME")
        return cls(Kind(kind), name.lower() if kind == Kind.SSO else name)


@dataclass(frozen=True, slots=True)
class Identity:
    """What one identity ARN says: the principal, and the session if it is a role's."""

    principal: Principal
    session: Principal | None = None


_ARN = re.compile(r"arn:aws[\w-]*:(?P<service>iam|sts)::(?P<account>\d{12}):(?P<resource>.+)")

MASK = "***"
"""What a data protection policy of a log group writes over what it hides, as long as that was."""
MASKED = (
    "masked, as by a data protection policy of the log group: nobody can tell who called; "
    "`quota-enforcer doctor` looks for such a policy"
)
_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
"""What IAM and STS allow in names; anything else would be forged, such as a user named `*`.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

_SSO_ROLE = re.compile(r"AWSReservedSSO_.+_[0-9a-f]{16}")


def identify(arn: str, account: str) -> Identity:
    """The principal that an `identity.arn` of the invocation log names, seen from `account`.

    An ARN of another account is `other/ARN`: its user must not be taken for ours of the same name.
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
    other = Identity(Principal(Kind.OTHER, arn))
    if match["account"] != account:
        return other
    match [match["service"], *match["resource"].split("/")]:
        case ["iam", "user", *_, name]:
            return Identity(Principal(Kind.USER, _checked(name, arn)))
        case ["sts", "assumed-role", role, session]:
            _checked(role, arn)
            _checked(session, arn)
            if _SSO_ROLE.fullmatch(role):
                return Identity(Principal(Kind.SSO, session.lower()))
            return Identity(
                Principal(Kind.ROLE, role),
                Principal(Kind.SESSION, f"{role}/{session}"),
            )
        case ["iam", "role", *_, role]:
            return Identity(Principal(Kind.ROLE, _checked(role, arn)))
        case _:
            return other


def _checked(name: str, arn: str) -> str:
    if not _NAME.fullmatch(name):
        raise UnknownIdentity(
            f"{arn[:200]!r} has the name {name[:200]!r}, which IAM does not allow: expected "
            "at most 64 letters, digits and any of +=,.@_-",
        )
    return name


def can_exist(principal: Principal) -> bool:
    """Whether anybody can have this name; a quota for such as `user/path/alice` counts nothing."""
    match principal.kind:
        case Kind.TEAM | Kind.OTHER:
            return principal.name == principal.name.strip()
        case Kind.SESSION:
            return all(map(_NAME.fullmatch, (principal.role, principal.session)))
        case _:
            return _NAME.fullmatch(principal.name) is not None


GATED = frozenset({Kind.SSO, Kind.SESSION})
"""Who shares a role with others, so that only a gate can deny them."""


def cannot_be_denied(principal: Principal, *, gated: bool) -> str | None:
    """Why no deny can reach this kind of principal; None if one can.

    `gated` says whether the deployment keeps gates. A team is denied through its members.
    """
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


_BETWEEN = re.compile(r",(?=\s*(?:(?:user|role|sso|session|team)/|arn:))")
"""A comma between principals; names of IAM may have commas too."""


def canonical(subject: str, account: str) -> str:
    """A subject as quota items name it: an ARN as its principal, Identity Center in lower case.

    What is neither principal nor ARN stays as it is, for validation to judge.
    """
    try:
        if subject.startswith("arn:"):
            return str(identify(subject, account).principal)
        return str(Principal.parse(subject))
    except UnknownIdentity:
        return subject


def principals(texts: Iterable[str]) -> list[str]:
    """Each principal of some texts, each of which may name several: `user/a,user/b`."""
    return [each.strip() for text in texts for each in _BETWEEN.split(text)]
