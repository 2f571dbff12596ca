"""The report for 1,000 principals x 60 days: reading and drawing it, its size, and its browser.

The real ledger adapter reads DynamoDB's answers, which are canned: what is timed is our work, with
no network. In AWS the waiting for DynamoDB comes on top, for several principals at a time. The
browser's figures are its own; without a Chromium they are left out.
"""

import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from playwright.sync_api import sync_playwright

from quota_enforcer.aws.dynamodb.ledger import items as ledger_items
from quota_enforcer.aws.dynamodb.ledger import notices as notice_items
from quota_enforcer.aws.dynamodb.ledger.usage.buckets import items as usage_items
from quota_enforcer.aws.dynamodb.wire import Plain, wire
from quota_enforcer.cli.insight.report import LARGE, READERS
from quota_enforcer.core.deployment import Settings
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.quotas.subject import Subject
from quota_enforcer.core.usage.counts import Counts, Measure
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import DAY, HOUR, Unit, Window, hour_start
from quota_enforcer.insight.report.gather import Gathering
from quota_enforcer.insight.report.model import ReportSource
from quota_enforcer.insight.report.page import render
from quota_enforcer.lambdas.enforcer import wiring

if TYPE_CHECKING:
    from bench.parts.figures import Figure
    from bench.parts.figures import report as told
else:  # a script finds what lies beside it
    from parts.figures import Figure
    from parts.figures import report as told

PRINCIPALS, DAYS = 1_000, 60
KINDS = 40
"""Different usages; each is that of many principals."""
NOW = datetime(2026, 11, 24, 13, 40, tzinfo=UTC)
MODELS = (
    "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "anthropic.claude-haiku-4-5-20251001-v1:0",
    "amazon.nova-pro-v1:0",
)
HOURS = (9, 10, 11, 14, 15, 16)
USABLE = 2.0
"""Seconds after which the page should be usable."""
MOST_CALLS = 8_100
"""Of DynamoDB: eight for each principal, and some for all."""
GENEROUS = 3 * USABLE
"""Where something is wrong, not only the machine busy."""
NOBODY = Principal.parse("user/nobody")
_USABLE = "performance.getEntriesByName('usable')[0].startTime"
ENVIRONMENT = {
    "STACK_NAME": "bench", "ACCOUNT_ID": "111122223333", "QUOTA_TABLE": "quotas",
    "LEDGER_TABLE": "ledger", "NOTICE_TOPIC": "arn:aws:sns:us-east-1:111122223333:t",
    "METRIC_NAMESPACE": "n", "DENY_POLICIES": '{"*": "arn:aws:iam::111122223333:policy/p"}',
    "MODE": "observe", "TIME_ZONE": "Europe/Berlin", "CONTACT": "us", "BREAKER_NUMBER": "10",
    "BREAKER_PERCENT": "20", "METERING": "stream",
}  # fmt: skip
SETTINGS = Settings.from_environment(ENVIRONMENT)
RULES = [
    Quota(Subject("default"), name, measure=measure, limit=Decimal(limit), window=Window(unit))
    for name, measure, limit, unit in (
        ("daily", Measure.TOTAL_TOKENS, 1_600_000, Unit.DAY),
        ("monthly", Measure.TOTAL_TOKENS, 22_000_000, Unit.MONTH),
        ("budget", Measure.COST_USD, 100, Unit.MONTH),
    )
]


class Canned:
    """DynamoDB's answers: the same usage and history for every 40th principal."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.read = 0
        self._usage = [_answer(_usage_items(kind)) for kind in range(KINDS)]
        self._history = [_answer(_history_items(kind)) for kind in range(KINDS)]
        everybody = (Record(Principal.parse(f"user/u{n}"), version=1) for n in range(PRINCIPALS))
        self._records = _answer([ledger_items.record_item(record) for record in everybody])

    def __call__(self, request: Any, **_event: Any) -> AWSResponse:
        """In place of sending a request."""
        operation = request.headers["X-Amz-Target"].decode().partition(".")[2]
        body = self._body(json.loads(request.body))
        self.calls[operation] += 1
        self.read += len(body)
        return AWSResponse(request.url, 200, HTTPHeaders(), _Raw(body))

    def _body(self, asked: dict[str, Any]) -> bytes:
        values = asked.get("ExpressionAttributeValues", {})
        if "IndexName" in asked:
            blocked = values[":listing"]["S"] == ledger_items.BLOCKED
            return _answer([]) if blocked else self._records
        who = values.get(":pk", {}).get("S", "")
        if not who.startswith("user/u"):
            return _answer([])
        of_usage = values[":first"]["S"].startswith("usage#")
        canned = self._usage if of_usage else self._history
        kind = int(who.removeprefix("user/u")) % KINDS
        return canned[kind].replace(str(NOBODY).encode(), who.encode())


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_how: Any) -> Iterator[bytes]:
        yield self._body


def _answer(items: list[Plain]) -> bytes:
    return json.dumps({"Items": [wire(item) for item in items], "Count": len(items)}).encode()


def _usage_items(kind: int) -> list[Plain]:
    """Six hours a day of some models, as the stream meter leaves them."""
    dice = Random(kind)  # noqa: S311 - numbers for a benchmark
    appetite = dice.lognormvariate(9.5, 1.1)
    zone = SETTINGS.zone
    items: list[Plain] = []
    for day in _days():
        for model in MODELS:
            hours = {}
            for hour in HOURS:
                start = hour_start(datetime(day.year, day.month, day.day, hour, tzinfo=zone), zone)
                tokens = int(appetite * dice.lognormvariate(0, 0.6)) + 1
                cost = tokens * Decimal("0.0000041")
                hours[start] = Counts(dice.randrange(1, 40), tokens, tokens // 5, cost_usd=cost)
            bucket = Bucket(NOBODY, model, day)
            numbers, _ = usage_items.counters(bucket, hours, zone)
            items.append({**usage_items.usage_key(bucket), **numbers, "expires": 1})
    return items


def _history_items(kind: int) -> list[Plain]:
    """A day at the limit for every third day of every fourth kind."""
    reason = "1,700,000 of 1,600,000 total tokens used today (quota daily of default); "
    reason += "nothing is blocked, since observe mode blocks nobody"
    told = Notice(NoticeKind.WARNING, NOW, str(NOBODY), "daily", reason, percent=100)
    used_up = [NOW - DAY * n for n in range(0, DAYS, 3) if kind % 4 == 0]
    return [
        notice_items.history_item(replace(told, at=at - HOUR * 2, until=at + HOUR * 10))
        for at in used_up
    ]


def _days() -> list[date]:
    return [NOW.date() - DAY * n for n in reversed(range(DAYS))]


def in_browser(html: bytes) -> str:
    """What a browser says of it; raises SystemExit where that is far too slow."""
    found = shutil.which("chromium") or shutil.which("chromium-headless-shell")
    if found is None:
        return "browser: no Chromium is here (make test-browser installs one)"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder, "report.html")
        file.write_bytes(html)
        browser = playwright.chromium.launch(executable_path=found)
        page = browser.new_page()
        page.goto(file.as_uri())
        usable = float(page.evaluate(_USABLE)) / 1000
        browser.close()
    if usable > GENEROUS:
        raise SystemExit(f"usable after {usable:.1f} s, expected {USABLE:.0f}")
    return f"browser: usable {usable:.2f} s after the file is opened (aim: {USABLE:.0f} s)"


def main() -> None:
    """Read, draw, weigh, open."""
    canned = Canned()
    session = boto3.Session("x", "x", region_name="us-east-1")
    session.events.register("before-send.dynamodb", cast("Any", canned))
    ledger = wiring.ledger(SETTINGS, session)
    gathering = Gathering(ledger, RULES, SETTINGS.context(NOW), DAYS)
    start, used = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(READERS) as pool:
        people = list(pool.map(gathering.person, gathering.everybody()))
    report = gathering.report(ReportSource("bench"), people)
    took, worked = time.perf_counter() - start, time.process_time() - used
    calls = ", ".join(f"{name} {count:,}" for name, count in sorted(canned.calls.items()))
    print(f"report: {PRINCIPALS:,} principals x {DAYS} days x {len(MODELS)} models")
    megabytes = f"{canned.read / 1e6:,.0f} MB of JSON"
    print(f"  read: {took:.1f} s, {worked:.1f} s of one core; {calls}; {megabytes}")
    start = time.perf_counter()
    html = render(report).encode()
    print(f"  draw: {time.perf_counter() - start:.1f} s, {len(html) / 1e6:.2f} MB")
    print(f"  {in_browser(html)}")
    told(
        [
            Figure("a report of 1,000 principals", len(html) / 1e6, "MB", LARGE / 1e6),
            Figure("its calls of DynamoDB", canned.calls.total(), "calls", MOST_CALLS),
        ]
    )


if __name__ == "__main__":
    main()
