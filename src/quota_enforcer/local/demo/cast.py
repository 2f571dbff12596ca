"""Who is on stage: people and services, their quotas, and which real conversation each has when.

Grace and Heidi come from Identity Center and share a permission set; Ivy and Jon share a role.

The limits are chosen so that the conversations reach them; nothing else is arranged.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.local.demo.traffic import Request, conversations

SONNET: Final = "anthropic.claude-3-5-sonnet-20240620-v1:0"
HAIKU: Final = "anthropic.claude-3-5-haiku-20241022-v1:0"
MODELS: Final = (SONNET, HAIKU)
NEXT_DAY: Final = 24
"""Hours from the first morning to the second."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation, so many hours after the first morning; a role holds it in a session."""

    conversation: str
    hours: int = 0
    model: str = SONNET
    session: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """One principal and what it says."""

    principal: Principal
    talks: tuple[Talk, ...]

    @property
    def sessions(self) -> tuple[str, ...]:
        """With which credentials it calls: one key for a user, one for each session of a role."""
        return tuple(dict.fromkeys(talk.session for talk in self.talks))

    @property
    def role(self) -> str:
        """The role that it takes; empty for a user, who has a key."""
        match self.principal.kind:
            case Kind.USER:
                return ""
            case Kind.SSO:
                return DEVELOPER
            case _:
                return self.principal.role


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a model that is going to be made."""

    at: datetime
    principal: Principal
    session: str
    model: str
    counts: Counts


ALICE: Final = Principal(Kind.USER, "alice")
BOB: Final = Principal(Kind.USER, "bob")
CAROL: Final = Principal(Kind.USER, "carol")
DAVE: Final = Principal(Kind.USER, "dave")
ERIN: Final = Principal(Kind.USER, "erin")
FRANK: Final = Principal(Kind.USER, "frank")
BATCH: Final = Principal(Kind.ROLE, "batch")
REPORTING: Final = Principal(Kind.ROLE, "reporting")
GRACE: Final = Principal(Kind.SSO, "grace")
HEIDI: Final = Principal(Kind.SSO, "heidi")
IVY: Final = Principal(Kind.SESSION, "ml/ivy")
JON: Final = Principal(Kind.SESSION, "ml/jon")
KIM: Final = Principal(Kind.USER, "kim")

DEVELOPER: Final = "AWSReservedSSO_Developer_0123456789abcdef"
"""The role that Identity Center makes of the permission set Developer."""
SHARED: Final = {DEVELOPER: "/aws-reserved/sso.amazonaws.com/", "ml": "/"}
"""The roles that several people share, with their paths: only a gate can tell them apart."""

CAST: Final = (
    Member(
        ALICE,
        (
            Talk("mooncake-7402"),
            Talk("mooncake-53351", 1, HAIKU),
            Talk("mooncake-91388", NEXT_DAY),
        ),
    ),
    Member(
        BOB,
        (Talk("mooncake-28980"), Talk("mooncake-64890", 1), Talk("mooncake-111902", NEXT_DAY)),
    ),
    Member(CAROL, (Talk("mooncake-9890"), Talk("mooncake-44262", NEXT_DAY))),
    Member(
        DAVE,
        (Talk("mooncake-12762"), Talk("mooncake-59097", 1), Talk("mooncake-74486", NEXT_DAY)),
    ),
    Member(
        ERIN,
        (
            Talk("mooncake-5021", model=HAIKU),
            Talk("mooncake-6625", 1, HAIKU),
            Talk("mooncake-92076", NEXT_DAY, HAIKU),
        ),
    ),
    Member(FRANK, (Talk("tracelab-92ee5b8a"),)),
    Member(
        BATCH,
        (
            Talk("mooncake-9731", 0, HAIKU, "worker-1"),
            Talk("mooncake-2987", 0, HAIKU, "worker-2"),
            Talk("mooncake-75436", 1, HAIKU, "worker-1"),
            Talk("mooncake-27651", 1, HAIKU, "worker-2"),
            Talk("mooncake-120397", 3, HAIKU, "worker-1"),
            Talk("mooncake-99254", 3, HAIKU, "worker-2"),
        ),
    ),
    Member(
        REPORTING,
        (
            Talk("mooncake-9382", 0, SONNET, "daily"),
            Talk("mooncake-24743", 1, SONNET, "daily"),
            Talk("mooncake-66466", NEXT_DAY, SONNET, "daily"),
        ),
    ),
    Member(GRACE, (Talk("mooncake-7308", 2), Talk("mooncake-20831", NEXT_DAY))),
    Member(HEIDI, (Talk("mooncake-58081", 2),)),
    Member(IVY, (Talk("mooncake-103480", NEXT_DAY, HAIKU),)),
    Member(JON, (Talk("mooncake-78331", NEXT_DAY, HAIKU),)),
    Member(KIM, (Talk("mooncake-87928", 1), Talk("mooncake-70713", 1, HAIKU))),
)

QUOTAS: Final[tuple[dict[str, Any], ...]] = (
    {"principal": "default", "quota": "daily", "limit": 1_000_000, "window": "day"},
    {"principal": "user/alice", "quota": "hourly", "limit": 250_000, "window": "hour"},
    {"principal": "user/bob", "quota": "daily", "limit": 400_000, "window": "day"},
    {"principal": "user/carol", "quota": "daily", "limit": 500_000, "window": "day"},
    {"principal": "role/batch", "quota": "pace", "limit": 60, "window": "rolling 3 hours",
     "measure": "requests"},
    {"principal": "sso/*", "quota": "daily", "limit": 300_000, "window": "day"},
    {"principal": "session/ml/*", "quota": "daily", "limit": 50_000, "window": "day"},
    {"principal": "user/kim", "quota": "dollars", "limit": Decimal("0.10"), "window": "day",
     "measure": "cost_usd", "warn_at": 50, "closes": {"80": [SONNET], "100": ["*"]}},
    {"principal": "user/frank", "quota": "budget", "limit": Decimal("0.25"), "window": "day",
     "measure": "cost_usd"},
)  # fmt: skip
"""As an admin types them into the table, those without a measure with MEASURE."""
MEASURE: Final = "total_tokens"
SONNET_USD_PER_MILLION: Final = (Decimal(3), Decimal(15), Decimal("0.30"), Decimal("3.75"))
"""Tokens of SONNET at its list price: input, output, read from a cache, written to one."""


def calls(morning: datetime) -> list[Call]:
    """Every call of the demo in order, the first conversations beginning at `morning`."""
    said = conversations()
    return sorted(
        (
            _call(member, talk, request, morning)
            for member in CAST
            for talk in member.talks
            for request in said[talk.conversation]
        ),
        key=lambda call: call.at,
    )


def _call(member: Member, talk: Talk, request: Request, morning: datetime) -> Call:
    at = morning + timedelta(hours=talk.hours) + request.after
    return Call(at, member.principal, talk.session, talk.model, request.counts)
