"""A whole deployment over the fakes, told as a timeline."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from builders import HAIKU, an_item
from fakes import (
    FakeAuthor,
    FakeDenies,
    FakeLedger,
    FakeMetrics,
    FakeQuotas,
    FakeSatellites,
    FakeTiers,
    FakeTopic,
)
from quota_enforcer.core.deployment import Breaker, Metering, Mode, Settings
from quota_enforcer.core.principal import Principal, identify
from quota_enforcer.core.quotas.precedence import by_the_minute
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.pace import slot_of
from quota_enforcer.core.usage.place import Place
from quota_enforcer.core.usage.reads import NO_CALLS, Called, Woken
from quota_enforcer.core.usage.stored import Bucket, Source
from quota_enforcer.core.usage.window import hour_start, local_date, minute_start
from quota_enforcer.enforce.ports.adapters import Adapters
from quota_enforcer.enforce.report import Report
from quota_enforcer.enforce.sweep import Sweep

if TYPE_CHECKING:
    from quota_enforcer.enforce.ports.adapters import WeekReport

ACCOUNT = "111122223333"


def settings(mode: Mode = Mode.ENFORCE, zone: str = "UTC") -> Settings:
    """A deployment as the template's defaults make it, but enforcing."""
    return Settings(
        stack="bedrock-quota",
        account=ACCOUNT,
        quota_table="quotas",
        ledger_table="ledger",
        notice_topic="arn:aws:sns:us-east-1:111122223333:notices",
        metric_namespace="BedrockQuota/bedrock-quota",
        denies={"*": "arn:aws:iam::111122223333:policy/bedrock-quota/deny"},
        mode=mode,
        zone=ZoneInfo(zone),
        contact="the platform team",
        breaker=Breaker(number=10, percent=20),
        metering=Metering.CLOUDWATCH,
    )


class World:
    """People calling Bedrock, admins editing quotas, and sweeps in between."""

    def __init__(self, mode: Mode = Mode.ENFORCE, zone: str = "UTC") -> None:
        self.settings = settings(mode, zone)
        self.metrics = FakeMetrics()
        self.ledger = FakeLedger(self.settings.zone)
        self.quotas = FakeQuotas()
        self.denies = FakeDenies()
        self.topic = FakeTopic()
        self.tiers = FakeTiers()
        self.author: FakeAuthor | None = None
        self.satellites = FakeSatellites()
        self.weeks: WeekReport | None = None
        self._process: Sweep | None = None

    def install(self, *scopes: str) -> None:
        """The stack has these model scopes besides `*`."""
        own = {each: f"{self.settings.denies['*']}-{n}" for n, each in enumerate(scopes, start=1)}
        self.settings = replace(self.settings, denies={**self.settings.denies, **own})
        self.denies.scopes |= own.keys()

    def quota(self, **but: object) -> None:
        """An admin writes a quota item."""
        self.quotas.put(an_item(**but))

    def call(self, who: str, at: datetime, tokens: int) -> None:
        """Somebody calls Bedrock: `alice` is a user, `role:ci/42` a session, `sso:ann` a person."""
        self.metrics.call(arn(who), at, Counts(1, tokens))

    def appear(self, who: str, at: datetime, account: str = ACCOUNT) -> None:
        """The stream meter tells the ledger of a caller."""
        self.ledger.remember_source(Source(arn(who, account), HAIKU, at))

    def sweep(self, at: datetime, *, dry_run: bool = False, confirm_blocks: bool = False) -> Report:
        """One sweep at this moment."""
        self.metrics.now = at
        return self.enforcer().run(at, dry_run=dry_run, confirm_blocks=confirm_blocks)

    def member(self, *accounts: str) -> None:
        """Satellites stand in these accounts of the organisation."""
        self.settings = replace(self.settings, satellites="o-example123")
        self.satellites.places |= {Place(each, "eu-west-1") for each in accounts}
        self.another_process()

    def stream(
        self,
        who: str,
        at: datetime,
        tokens: int,
        cost: str = "0",
        account: str = ACCOUNT,
        place: str = "",
    ) -> None:
        """Somebody calls Bedrock in an account, and the stream meter adds it.

        `place` is where, if that is not home; it says the account too.
        """
        account = place.partition("/")[0] or account
        identity = identify(arn(who, account), account, ACCOUNT)
        counts = Counts(1, tokens, cost_usd=Decimal(cost))
        calls = self.ledger.calls.setdefault(identity.principal, {})
        calls[slot_of(at)] = calls.get(slot_of(at), 0) + 1
        for each in (identity.principal, identity.session):
            if each is not None:
                day = local_date(at, self.settings.zone)
                hour = hour_start(at, self.settings.zone)
                self.ledger.add(Bucket(each, HAIKU, day, place), hour, counts)
                if by_the_minute(each, self.ledger.meter_rules().minutes):
                    minutes = self.ledger.minutes_used[each]
                    key = place, HAIKU, minute_start(at)
                    minutes[key] = Counts.total((minutes.get(key, Counts()), counts))

    def assumed(self, who: str, at: datetime, cost: str) -> None:
        """A call of a user for which no price is known."""
        money = Decimal(cost)
        bucket = Bucket(principal(f"user/{who}"), HAIKU, local_date(at, self.settings.zone))
        counts = Counts(1, cost_usd=money, assumed_usd=money)
        self.ledger.add(bucket, hour_start(at, self.settings.zone), counts)

    def wake(
        self,
        at: datetime,
        *who: str,
        called: Called = NO_CALLS,
        since: datetime | None = None,
    ) -> Report:
        """A meter wakes the enforcer for these: the process that was woken before, while it lasts.

        Its settings are those of its start. Without `since` everybody is looked at.
        """
        self._process = self._process or self.enforcer()
        return self._process.wake(map(Principal.parse, who), at, Woken(called, since=since))

    def another_process(self) -> None:
        """The next wake starts one."""
        self._process = None

    def close(self, at: datetime) -> list[str]:
        """The stack is deleted."""
        return self.enforcer().close(at).released

    def keep_gates(self) -> FakeAuthor:
        """The stack is updated to keep gates."""
        self.settings = replace(self.settings, author="author")
        self.author = FakeAuthor(self.ledger)
        self.another_process()
        return self.author

    def mode(self, mode: Mode) -> None:
        """The stack is updated to another mode."""
        self.settings = replace(self.settings, mode=mode)
        self.another_process()

    def metering(self, metering: Metering) -> None:
        """The stack is updated to another meter."""
        self.settings = replace(self.settings, metering=metering)
        self.another_process()

    @property
    def denied(self) -> set[str]:
        """Whom IAM denies at present."""
        return {str(principal) for principal in self.denies.denied()}

    def told(self, who: str | None = None) -> list[str]:
        """The notices sent so far, as `kind`, or for everybody as `principal kind`."""
        sent = [notice for notice, _ in self.topic.sent]
        if who is None:
            return [f"{notice.principal} {notice.kind}" for notice in sent]
        return [str(notice.kind) for notice in sent if notice.principal == who]

    def enforcer(self) -> Sweep:
        """The sweep, wired to the fakes."""
        adapters = Adapters(
            self.ledger, self.quotas, self.metrics, self.denies, self.topic, self.author,
            tiers=self.tiers, satellites=self.satellites, weeks=self.weeks,
        )  # fmt: skip
        return Sweep(self.settings, adapters)


def arn(who: str, account: str = ACCOUNT) -> str:
    """The identity ARN that the invocation log of an account has for somebody."""
    kind, colon, name = who.partition(":")
    if not colon:
        return f"arn:aws:iam::{account}:user/{who}"
    if kind == "sso":
        role = "AWSReservedSSO_Developer_0123456789abcdef"
        return f"arn:aws:sts::{account}:assumed-role/{role}/{name}"
    return f"arn:aws:sts::{account}:assumed-role/{name}"


def principal(text: str) -> Principal:
    """Short for Principal.parse."""
    return Principal.parse(text)
