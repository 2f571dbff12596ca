"""The notices as people read them."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import HAIKU, NOON, Story, a_quota
from quota_enforcer.core.measure import Measure
from quota_enforcer.core.model import ModelScope
from quota_enforcer.core.notice import Notice, NoticeKind
from quota_enforcer.core.window import Unit, Window
from quota_enforcer.core.wording import message, period

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_block_says_who_what_until_when_and_whom_to_ask() -> None:
    blocked = Story(a_quota(), zone="Europe/Berlin").at(NOON, 1234).notices[1]
    sent = message(blocked, BERLIN, "cloud-team@example.com")
    assert sent.subject == "Amazon Bedrock is blocked for user/alice: quota daily is used up"
    assert sent.body == (
        "Amazon Bedrock is blocked for user/alice: quota daily is used up.\n"
        "\n"
        "Why: 1,234 of 1,000 total tokens used today (quota daily of user/alice).\n"
        "Quota: daily (1,000 total tokens, day).\n"
        "Used: 1,234 of 1,000 (123 %).\n"
        "Since: 2026-11-24 13:00 CET.\n"
        "Until: 2026-11-25 00:00 CET.\n"
        "What works: Everything else in AWS works as before; only Amazon Bedrock is closed.\n"
        "Questions: cloud-team@example.com.\n"
        "\n"
        "Notice 2026-11-24T12:00:00Z#user/alice#blocked#daily"
    )


def test_a_warning_says_the_threshold_and_how_much_is_really_used() -> None:
    warned = Story(a_quota()).at(NOON, 845).notices[0]
    sent = message(warned, BERLIN, "x")
    assert sent.subject == "Bedrock quota daily of user/alice is at 80 %"
    assert "Used: 845 of 1,000 (84 %)." in sent.body


def test_a_notice_about_money_is_in_dollars() -> None:
    notice = Notice(
        NoticeKind.BLOCKED, NOON, "user/alice", "budget", "because", Decimal("12.3456"),
        Decimal(10), Measure.COST_USD.words, "month", whom="user/alice", models="*",
    )  # fmt: skip
    body = message(notice, BERLIN, "x").body
    assert "Quota: budget ($10.00, month).\n" in body
    assert "Used: $12.34 of $10.00 (123 %).\n" in body


def test_a_notice_about_weighted_tokens_has_their_fractions() -> None:
    notice = Notice(
        NoticeKind.WARNING, NOON, "user/alice", "weighted", "because", Decimal("1234.50"),
        Decimal("1500.5"), Measure.WEIGHTED_TOKENS.words, "day", 80,
    )  # fmt: skip
    body = message(notice, BERLIN, "x").body
    assert "Quota: weighted (1,500.5 weighted tokens, day).\n" in body
    assert "Used: 1,234.5 of 1,500.5 (82 %).\n" in body


def test_a_model_without_a_price_is_in_the_subject() -> None:
    sent = message(Notice(NoticeKind.PRICE_UNKNOWN, NOON, "", HAIKU, "why"), BERLIN, "x")
    assert sent.subject == f"Bedrock quotas: no price is known for {HAIKU}"


def test_a_block_of_one_model_says_what_stays_open() -> None:
    blocked = Story(a_quota(models=(ModelScope(HAIKU),))).at(NOON, 1000).notices[-1]
    assert f"What works: Every model but {HAIKU}, as before." in message(blocked, BERLIN, "x").body


def test_a_block_without_end_says_who_ends_it() -> None:
    blocked = Story(a_quota(limit=Decimal(0))).at(NOON).notices[0]
    assert blocked.reason == "an admin set the limit to 0 (quota daily of user/alice)"
    assert "Until: an admin changes the quota." in message(blocked, BERLIN, "x").body


@given(st.text(max_size=300), st.sampled_from(NoticeKind))
def test_a_subject_always_fits_sns(name: str, kind: NoticeKind) -> None:
    """SNS takes subjects under 100 characters of printable ASCII in one line."""
    subject = message(Notice(kind, NOON, f"sso/{name}", name, "why"), BERLIN, "x").subject
    assert 0 < len(subject) < 100
    assert subject.isascii()
    assert subject.isprintable()


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (Window(Unit.HOUR), "this hour"),
        (Window(Unit.DAY), "today"),
        (Window(Unit.WEEK), "this week"),
        (Window(Unit.MONTH), "this month"),
        (Window(Unit.HOUR, rolling=24), "in the last 24 hours"),
    ],
)
def test_periods_in_words(window: Window, words: str) -> None:
    assert period(window) == words
