"""A company on the fakes, for the report: shaped like real traffic, and always the same.

People work on weekdays, some use Bedrock ten times as much as others, a few run dry; what they
are told comes from the real decisions.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from fakes import FakeLedger
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import Record, Standing, SweepState
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Quota, Rule, Share
from quota_enforcer.core.quotas.subject import Subject
from quota_enforcer.core.usage.buckets import MinuteCounts, ModelUsage, Usage, pooled
from quota_enforcer.core.usage.counts import Counts, Measure
from quota_enforcer.core.usage.place import Place
from quota_enforcer.core.usage.window import HOUR, Unit, Window, day_start, hour_start, local_date
from quota_enforcer.decide.decision import decide
from quota_enforcer.insight.report.gather import Gathering
from quota_enforcer.insight.report.model import ReportSource, UsageReport

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 24, 13, 40, tzinfo=UTC)
SOURCE = ReportSource("bedrock-quota", "111122223333", "eu-central-1", "1.2.3", Decimal(1_500))
HOSTILE = "<img src=x onerror=alert(1)>"
MODELS = {
    "anthropic.claude-sonnet-4-5-20250929-v1:0": (30, "0.000004"),
    "anthropic.claude-haiku-4-5-20251001-v1:0": (26, "0.0000013"),
    "amazon.nova-pro-v1:0": (14, "0.0000012"),
    "amazon.nova-lite-v1:0": (12, "0.0000001"),
    "meta.llama3-3-70b-instruct-v1:0": (8, "0.0000007"),
    "anthropic.claude-opus-4-1-20250805-v1:0": (5, "0.00002"),
    "mistral.mistral-large-2407-v1:0": (3, "0.000003"),
    "cohere.command-r-plus-v1:0": (2, "0.000004"),
    "openai.gpt-oss-120b-1:0": (2, "0.0000003"),
    "custom-model/9f2k1x7a": (1, "0.00002"),
}
"""How popular each is, and dollars a token; for the last one no price is known."""
_UNPRICED = "custom-model/9f2k1x7a"
_FIRST = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy")
_LAST = ("abel", "becker", "costa", "dietz", "ernst", "fuchs", "ito", "novak", "tanaka", "vogel")
_TEAMS = ("research", "platform", "support", "營運", "ärzte", HOSTILE)
_SHIFT = (9, 10, 11, 13, 14, 15, 16, 17)
_CHECKS = (0, 11, 14, 16, 18)
_BUSY = 1_200_000
"""Tokens of a day, or a tenth of a month's, from which on a limit may be near."""


@dataclass
class BigLedger(FakeLedger):
    """Finds one principal's part without looking at everybody's."""

    of: dict[Principal, Usage] = field(default_factory=dict)
    told: defaultdict[str, list[Notice]] = field(default_factory=lambda: defaultdict(list))

    def post(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            self.told[notice.principal].append(notice)

    def history(
        self, principal: Principal | None = None, since: datetime | None = None
    ) -> list[Notice]:
        told = self.told["" if principal is None else str(principal)]
        return [notice for notice in told if since is None or notice.at >= since]

    def usage(self, principal: Principal, first: date) -> Usage:
        return _from(self.of.get(principal, Usage()), first)

    def minutes(self, principal: Principal, since: datetime) -> MinuteCounts:
        raise AssertionError(f"nobody has a window of minutes, but {principal} {since} was read")


def _from(used: Usage, first: date) -> Usage:
    return Usage(
        {
            model: ModelUsage(
                {h: c for h, c in each.hours.items() if local_date(h, ZONE) >= first},
                {day: counts for day, counts in each.days.items() if day >= first},
            )
            for model, each in used.models.items()
            if any(day >= first for day in each.days)
        },
        {place: _from(usage, first) for place, usage in used.places.items()},
    )


@dataclass(frozen=True, slots=True)
class Company:
    """Its ledger, its rules, and the terms that the report is made under."""

    ledger: BigLedger
    rules: tuple[Rule, ...]
    context: Context

    def report(self, days: int = 60) -> UsageReport:
        """The report of all of it."""
        gathering = Gathering(self.ledger, self.rules, self.context, days)
        return gathering.report(SOURCE, map(gathering.person, gathering.everybody()))


def company(
    people: int,
    days: int = 60,
    mode: Mode = Mode.ENFORCE,
    seed: int = 6,
    teams: tuple[str, ...] = _TEAMS,
) -> Company:
    """So many principals that used Bedrock for so many days, and some names that are hostile."""
    random = Random(seed)  # noqa: S311 - it has to be the same every time
    everybody = list(_people(people, random))
    rules = _rules(everybody, random, teams)
    made = Company(BigLedger(ZONE), rules, Context(NOW, ZONE, mode, gated=True))
    book = QuotaBook(rules)
    for principal in everybody:
        made.ledger.of[principal] = _usage(principal, days, random)
    for principal in everybody:
        _live(made, book, principal, days)
    invalid = NoticeKind.INVALID_QUOTA
    if HOSTILE in teams:
        made.ledger.told[""].append(
            Notice(invalid, NOW - HOUR, HOSTILE, "daily", f"limit {HOSTILE}")
        )
    swept = NOW - timedelta(minutes=4)
    made.ledger.begin(swept)
    made.ledger.finish(SweepState(swept, swept, fresh_at=NOW - timedelta(minutes=5)))
    return made


def spread(made: Company) -> Company:
    """The same company in two accounts and three Regions: each model is used in one of them."""
    home = Place("111122223333", "us-east-1")
    where = ("", "111122223333/eu-west-1", "444455556666/eu-west-1", "444455556666/ap-south-1")
    for principal, usage in made.ledger.of.items():
        models: defaultdict[str, dict[str, ModelUsage]] = defaultdict(dict)
        for model, each in usage.models.items():
            models[where[list(MODELS).index(model) % len(where)]][model] = each
        made.ledger.of[principal] = Usage.of_places(models)
    return replace(made, context=replace(made.context, home=home))


def _people(number: int, random: Random) -> Iterator[Principal]:
    for place in range(number):
        first, last = _FIRST[place % len(_FIRST)], _LAST[place // len(_FIRST) % len(_LAST)]
        again = place // (len(_FIRST) * len(_LAST))
        match random.choices(tuple(Kind), (4, 1, 5, 0, 0, 0))[0]:
            case Kind.ROLE:
                yield Principal(Kind.ROLE, f"service-{first}-{place}")
            case Kind.SSO:
                yield Principal(Kind.SSO, f"{first}.{last}{again or ''}@example.com")
            case kind:
                yield Principal(kind, f"{first}.{last}{again or ''}")


def _rules(everybody: list[Principal], random: Random, names: tuple[str, ...]) -> tuple[Rule, ...]:
    tokens, requests = Measure.TOTAL_TOKENS, Measure.REQUESTS
    day, month, week = Window(Unit.DAY), Window(Unit.MONTH), Window(Unit.WEEK)
    pace = Window(Unit.HOUR, rolling=6)
    teams = [
        Quota(
            Subject(f"team/{team}"), "project",
            members=tuple(map(str, random.sample(everybody, -(-len(everybody) // 8)))),
            share=Share.POOL,
            measure=tokens, limit=Decimal(len(everybody) * 400_000), window=week,
        )
        for team in names
    ]  # fmt: skip
    return (
        Quota(Subject("default"), "daily", measure=tokens, limit=Decimal(1_600_000), window=day),
        Quota(
            Subject("default"), "monthly", measure=tokens, limit=Decimal(22_000_000), window=month
        ),
        Quota(Subject("role/*"), "hourly", measure=requests, limit=Decimal(400), window=pace),
        *teams,
    )


def _usage(principal: Principal, days: int, random: Random) -> Usage:
    appetite = random.lognormvariate(12.2, 1.1)
    started = random.choice((0, 0, 0, random.randrange(days * 3 // 4)))
    liked = dict.fromkeys(random.choices(list(MODELS), [w for w, _ in MODELS.values()], k=3))
    models: defaultdict[str, dict[datetime, Counts]] = defaultdict(dict)
    for place, day in enumerate(_days(days)):
        works = day.isoweekday() < 6 or principal.kind is Kind.ROLE
        if place < started or not works or random.random() < 0.1:
            continue
        for share, model in enumerate(liked, start=1):
            whole = appetite / share * random.lognormvariate(0, 0.6) * (1 + place / days)
            for hour in random.sample(_SHIFT, 3):
                start = hour_start(datetime.combine(day, time(hour), ZONE), ZONE)
                if start <= NOW:
                    models[model][start] = _counts(model, int(whole / 3))
    return Usage({m: ModelUsage.of_hours(hours, ZONE) for m, hours in models.items()})


def _days(number: int) -> list[date]:
    today = local_date(NOW, ZONE)
    return [today - timedelta(days=n) for n in reversed(range(number))]


def _counts(model: str, tokens: int) -> Counts:
    cost = tokens * Decimal(MODELS[model][1])
    assumed = cost if model == _UNPRICED else Decimal(0)
    output = tokens // 5
    return Counts(
        max(tokens // 9_000, 1), tokens - output, output, cost_usd=cost, assumed_usd=assumed
    )


def _live(made: Company, book: QuotaBook, principal: Principal, days: int) -> None:
    """What the sweeps of these days decided; days far from every limit are skipped."""
    usage, standing = made.ledger.of[principal], Standing()
    pools = {
        quota: pooled(made.ledger.of.get(each, Usage()) for each in members)
        for quota, members in book.contributors.items()
        if principal in members
    }
    for day in _days(days):
        for hour in _CHECKS:
            at = datetime.combine(day, time(hour, 7), ZONE).astimezone(UTC)
            if at > NOW or (not standing.due and not _busy(usage, day)):
                break
            context = Context(at, ZONE, made.context.mode, gated=True)
            seen = _until(usage, at, day)
            shared = {quota: _until(used, at, day) for quota, used in pools.items()}
            decision = decide(
                principal, book.applicable_to(principal, at), seen, standing, context, shared
            )
            standing = decision.standing
            made.ledger.post(decision.notices)
    made.ledger.put(Record(principal, standing, version=1))


def _until(usage: Usage, at: datetime, today: date) -> Usage:
    """As it was then: later buckets are in no window yet, only today's own day is too full."""
    return Usage(
        {
            model: ModelUsage(each.hours, {**each.days, today: _so_far(each, at, today)})
            for model, each in usage.models.items()
        }
    )


def _so_far(used: ModelUsage, at: datetime, today: date) -> Counts:
    midnight = day_start(today, ZONE)
    hours = (midnight + HOUR * n for n in range((at - midnight) // HOUR + 1))
    return Counts.total(used.hours[hour] for hour in hours if hour in used.hours)


def _busy(usage: Usage, day: date) -> bool:
    """Whether this day, or the month so far, comes near a limit."""
    of_day = sum(each.days[day].tokens for each in usage.models.values() if day in each.days)
    of_month = sum(
        counts.tokens
        for each in usage.models.values()
        for when, counts in each.days.items()
        if day.replace(day=1) <= when <= day
    )
    return of_day > _BUSY or of_month > 10 * _BUSY
