"""Settings: what a deployment was set to, read once from the environment of its functions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from quota_enforcer.core.environment import Environment, json_texts
from quota_enforcer.core.usage.pace import USUAL_LAG, DenyLag
from quota_enforcer.core.usage.place import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from quota_enforcer.core.pricing.table import PriceTable


class Mode(StrEnum):
    """Whether denies are attached, or only reported."""

    OBSERVE = "observe"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True)
class Context:
    """What is the same for everybody in one sweep."""

    now: datetime
    zone: ZoneInfo
    mode: Mode
    gated: bool = False
    """Whether the deployment keeps gates."""
    home: Place | None = None
    """The place of usage that names none; None where nobody knows which it is."""
    reached: frozenset[str] = frozenset()
    """The member accounts in which it may deny."""
    lag: DenyLag = USUAL_LAG
    """As measured last."""
    prices: "Callable[[], PriceTable] | None" = field(default=None, compare=False, repr=False)
    """Gives the prices of today, which few decisions need; None where nobody is told of them."""


STACK_ENDS = frozenset({"DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"})
"""Statuses of a stack that is being deleted, or whose creation is being rolled back.

Whoever may invoke a function can send it any event, so CloudFormation is asked before it ends.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""
UPDATE_ROLLBACK = "UPDATE_ROLLBACK_IN_PROGRESS"
STACK_CHANGES = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", UPDATE_ROLLBACK})
"""Statuses in which set-up may be asked to switch logging on."""

_UTC = ZoneInfo("UTC")
SETTLING = timedelta(minutes=10)
"""For how long a change may be that of a run still under way, or not be listed by IAM yet."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """Trips when one sweep would newly block more than `number` principals and `percent` of all."""

    number: int
    percent: int

    def trips(self, blocks: int, principals: int) -> bool:
        """Whether this many new blocks among this many known principals need an admin's word."""
        return blocks > self.number and blocks * 100 > self.percent * principals


def names_organization(satellites: str) -> bool:
    """Whether the parameter Satellites names an organisation; its accounts may have some."""
    return satellites.startswith("o-")


class Metering(StrEnum):
    """How a deployment meters: from its own metrics every few minutes, or from each log record."""

    CLOUDWATCH = "cloudwatch"
    STREAM = "stream"


@dataclass(frozen=True, slots=True)
class Settings:
    """One deployment, as its enforcer knows it."""

    stack: str
    account: str
    quota_table: str
    ledger_table: str
    notice_topic: str
    metric_namespace: str
    denies: Mapping[str, str]
    """The ARN of each installed model scope's deny policy."""
    mode: Mode
    zone: ZoneInfo
    contact: str
    breaker: Breaker
    metering: Metering
    author: str = ""
    """The function that writes the gates; empty if the deployment keeps none."""
    region: str = ""
    """Where its calls are priced; if empty, prices go by the model alone."""
    stack_id: str = ""
    """The stack's ARN with its unique id."""
    satellites: str = ""
    """Where it may have satellites: `off`, `regions`, or the id of its organisation."""
    me_url: str = ""
    """Where people ask for their own usage; empty if nobody can."""
    digest: bool = False
    """Whether admins are told each Monday how the week was."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, closing: bool = False) -> Self:
        """Read all variables; raises ConfigError that names every one missing or wrong.

        With `closing` a wrong time zone reads as UTC: it must not keep anybody blocked when the
        stack is deleted.
        """
        variables = Environment("the enforcer", environment)
        settings = cls(
            stack=variables.text("STACK_NAME"),
            account=variables.text("ACCOUNT_ID"),
            quota_table=variables.text("QUOTA_TABLE"),
            ledger_table=variables.text("LEDGER_TABLE"),
            notice_topic=variables.text("NOTICE_TOPIC"),
            metric_namespace=variables.text("METRIC_NAMESPACE"),
            denies=variables.read(
                "DENY_POLICIES", json.loads, "a JSON object: model scope to policy ARN"
            ),
            mode=variables.choice("MODE", Mode),
            zone=variables.zone("TIME_ZONE", _UTC if closing else None),
            contact=variables.text("CONTACT"),
            breaker=Breaker(
                variables.number("BREAKER_NUMBER"), variables.number("BREAKER_PERCENT")
            ),
            metering=variables.choice("METERING", Metering),
            author=variables.optional("AUTHOR_FUNCTION"),
            region=variables.optional("AWS_REGION"),
            stack_id=variables.optional("STACK_ID"),
            satellites=variables.optional("SATELLITES"),
            me_url=variables.optional("ME_URL"),
            digest=variables.optional("WEEKLY_DIGEST") == "true",
        )
        variables.check()
        return settings

    def terms(self, reached: frozenset[str] = frozenset()) -> str:
        """The settings on which every decision rests, as one text.

        When it changes, the next sweep looks at everybody. The member accounts in which the
        deployment may deny are in it as a digest.
        """
        gated = "gated" if self.author else "not gated"
        accounts = ""
        if reached:
            digest = sha256(",".join(sorted(reached)).encode()).hexdigest()[:16]
            accounts = f" accounts {digest}"
        return f"{self.mode} {self.zone} {gated} {' '.join(sorted(self.denies))}{accounts}"

    def context(self, now: datetime, reached: frozenset[str] = frozenset()) -> Context:
        """What is the same for everybody decided about at this moment.

        `reached` are the member accounts in which it may deny.
        """
        home, gated = Place(self.account, self.region), bool(self.author)
        return Context(now, self.zone, self.mode, gated=gated, home=home, reached=reached)

    @property
    def has_members(self) -> bool:
        """Whether it may have satellites in member accounts of its organisation."""
        return names_organization(self.satellites)


@dataclass(frozen=True, slots=True)
class SelfServiceSettings:
    """One deployment, as far as its self-service function knows it."""

    stack: str
    account: str
    quota_table: str
    ledger_table: str
    contact: str
    scopes: tuple[str, ...]
    """The installed model scopes."""
    mode: Mode
    zone: ZoneInfo
    gated: bool
    """Whether the deployment keeps gates."""
    region: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read all variables; raises ConfigError that names every one missing or wrong."""
        variables = Environment("the self-service function", environment)
        settings = cls(
            stack=variables.text("STACK_NAME"),
            account=variables.text("ACCOUNT_ID"),
            quota_table=variables.text("QUOTA_TABLE"),
            ledger_table=variables.text("LEDGER_TABLE"),
            contact=variables.text("CONTACT"),
            scopes=variables.read("MODEL_SCOPES", json_texts, 'a JSON list such as ["*"]'),
            mode=variables.choice("MODE", Mode),
            zone=variables.zone("TIME_ZONE"),
            gated=variables.truth("GATED"),
            region=variables.optional("AWS_REGION"),
        )
        variables.check()
        return settings
