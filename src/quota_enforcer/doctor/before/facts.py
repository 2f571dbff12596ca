"""What is read of an account before the first deployment: facts, and the port that reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from quota_enforcer.core.policies.document import Document
from quota_enforcer.core.policies.guard.keys import Key
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.doctor.access import Problem
from quota_enforcer.doctor.rules.logging import LoggingFound


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Whose account is looked at."""

    account: str
    partition: str
    region: str


@dataclass(frozen=True, slots=True)
class IdentityFound:
    """A user or role: its policies, and what else decides whether a deny can reach it."""

    principal: Principal
    path: str = "/"
    inline: tuple[Document, ...] = field(default=(), compare=False)
    managed: tuple[str, ...] = ()
    """Managed policies attached, by ARN."""
    groups: tuple[str, ...] = ()
    boundary: str = ""
    trust: str = field(default="", compare=False)
    last_used: datetime | None = None
    """Of a role, anywhere; IAM keeps it for 400 days."""

    def arn(self, where: Whereabouts) -> str:
        kind = f"{self.principal.kind}{self.path}{self.principal.name}"
        return f"arn:{where.partition}:iam::{where.account}:{kind}"


@dataclass(frozen=True, slots=True)
class GroupFound:
    """A group of users, by its policies."""

    inline: tuple[Document, ...] = ()
    managed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Authorizations:
    """Every user, role and group of an account, and the managed policies attached to them."""

    identities: Sequence[IdentityFound]
    groups: Mapping[str, GroupFound] = field(default_factory=dict)
    policies: Mapping[str, Document] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegionFound:
    """Bedrock in one Region over some days.

    `linked` are other accounts whose metrics this one is shown there. `trouble` is why the Region
    could not be asked, in words; `closed` says that a service control policy closes it.
    """

    name: str
    calls: int = 0
    mantle: int = 0
    jobs: int = 0
    """Batch jobs; their calls are in no metric."""
    logging: LoggingFound | None = None
    stacks: tuple[str, ...] = ()
    linked: frozenset[str] = frozenset()
    trouble: str = ""
    refused: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True)
class CallSeen:
    """One call in CloudTrail's event history: by whom, as an ARN."""

    arn: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OtherAccount:
    """Another account of the organisation."""

    id: str
    name: str


class AccountProbe(Protocol):
    """Each call asks AWS, may come from several threads at once, and raises what boto3 raises."""

    def problem(self, error: Exception) -> Problem:
        """What an error that a reading raised says."""

    def whereabouts(self) -> Whereabouts:
        """Whose credentials these are."""

    def authorizations(self) -> Authorizations:
        """Every user, group and role, with the documents of their policies."""

    def may(self, arn: str, keys: Sequence[Key]) -> Sequence[Key]:
        """Those of these calls that IAM allows a user or role."""

    def slots(self) -> Mapping[Kind, int]:
        """How many managed policies a user or role may have."""

    def regions(self) -> Sequence[str]:
        """The account's enabled Regions."""

    def region(self, name: str, since: datetime, now: datetime) -> RegionFound:
        """Bedrock's traffic and logging in one Region."""

    def calls(self, region: str, since: datetime) -> Sequence[CallSeen]:
        """The newest calls that CloudTrail's event history has of a Region."""

    def accounts(self) -> Sequence[OtherAccount]:
        """The active accounts of the organisation."""
