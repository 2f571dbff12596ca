"""A sweep's report as JSON: counted tokens are numbers, money and weighted tokens exact text."""

import json
from decimal import Decimal
from typing import Any

import pytest

from builders import NOON
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.quotas.quota import UNLIMITED
from quota_enforcer.enforce.report import Report, event


@pytest.mark.parametrize(
    ("used", "limit", "shown"),
    [
        (1200, Decimal(1000), (1200, 1000)),
        (1200, Decimal("1E+3"), (1200, 1000)),
        (1200, UNLIMITED, (1200, None)),
        (Decimal("12.3456789"), Decimal("12.50"), ("12.3456789", "12.5")),
        (Decimal("10.00"), Decimal(10), ("10", "10")),
        (Decimal(0), Decimal("0.00000001"), ("0", "0.00000001")),
        (Decimal("1E-13"), UNLIMITED, ("0.0000000000001", None)),
    ],
)
def test_numbers_of_an_event(used: int | Decimal, limit: Decimal, shown: tuple[Any, Any]) -> None:
    told = event(
        Notice(NoticeKind.WARNING, NOON, "user/alice", "daily", "why", used, limit, "tokens")
    )
    assert (told["used"], told["limit"]) == shown
    assert type(told["used"]) is type(shown[0])


@pytest.mark.parametrize("measure", ["requests", ""])
def test_a_number_that_is_absent_is_none_and_no_zero(measure: str) -> None:
    told = event(Notice(NoticeKind.BLOCKED, NOON, "user/a", "b", "why", measure=measure))
    assert (told["used"], told["limit"]) == ((0, 0) if measure else (None, None))


def test_a_report_with_money_is_json() -> None:
    notice = Notice(
        NoticeKind.BLOCKED, NOON, "user/a", "b", "why", Decimal("1.5"), Decimal(1), "cost"
    )
    report = json.loads(json.dumps(Report(NOON, "enforce", notices=[notice]).to_json()))
    assert [(each["used"], each["limit"]) for each in report["events"]] == [("1.5", "1")]
