"""The notices as people read them."""

from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import HAIKU, NOON, Story, a_quota
from notice_examples import EXAMPLES, document
from quota_enforcer.core.notices.notice import HISTORY_ONLY, Notice, NoticeKind
from quota_enforcer.core.notices.wording import message, period
from quota_enforcer.core.usage.counts import Measure
from quota_enforcer.core.usage.model import ModelScope
from quota_enforcer.core.usage.window import Unit, Window

BERLIN = ZoneInfo("Europe/Berlin")
NOTICES = Path(__file__).parents[3] / "docs" / "notices.md"
OPUS = "anthropic.claude-3-opus*"
FAMILY = "anthropic.claude-3-*"

SENT = [kind for kind in NoticeKind if kind not in HISTORY_ONLY]
"""The notices that anybody gets; others are only kept."""


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
        "What works: no model of Amazon Bedrock; everything else in AWS, as before.\n"
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
    sent = message(blocked, BERLIN, "x")
    assert (
        sent.subject == "Amazon Bedrock is blocked in part for user/alice: quota daily is used up"
    )
    assert f"What works: every model but {HAIKU}, as before." in sent.body


def test_what_another_quota_closes_is_not_said_to_be_open() -> None:
    """Neither in a warning nor in a later block."""
    family = a_quota(name="family", limit=Decimal(500), models=(ModelScope(FAMILY),))
    story = Story(family, a_quota(models=(ModelScope(HAIKU),)))
    warned = story.at(NOON, 850).notices[1]
    assert (warned.kind, warned.quota) == ("warning", "daily")
    assert f"What works: every model but {FAMILY}, as" in message(warned, BERLIN, "x").body
    blocked = story.at(NOON, 1000).notices[-1]
    assert (blocked.kind, blocked.quota) == ("blocked", "daily")
    assert f"every model but {FAMILY}, {HAIKU}, as" in message(blocked, BERLIN, "x").body


def test_a_warning_where_nothing_is_closed_says_so() -> None:
    warned = Story(a_quota()).at(NOON, 845).notices[0]
    body = message(warned, BERLIN, "x").body
    assert "What works: everything; nothing is blocked." in body
    assert "Resets: 2026-11-25 01:00 CET, when the count starts again from zero." in body


def test_a_rolling_window_never_begins_anew() -> None:
    warned = Story(a_quota(window=Window(Unit.HOUR, rolling=24))).at(NOON, 845).notices[0]
    body = message(warned, BERLIN, "x").body
    assert "Resets: bit by bit, as usage gets older than 24 hours." in body


def test_a_block_that_another_quota_outlasts_says_until_when() -> None:
    month = a_quota(name="monthly", limit=Decimal(1200), window=Window(Unit.MONTH))
    daily, monthly = Story(a_quota(), month).at(NOON, 1234).notices[-2:]
    assert (daily.quota, monthly.quota) == ("daily", "monthly")
    after = "After that: quota monthly of user/alice keeps it closed until 2026-12-01 00:00 UTC."
    assert after in message(daily, BERLIN, "x").body
    assert "After that" not in message(monthly, BERLIN, "x").body


def test_a_longer_block_of_one_model_does_not_outlast_a_block_of_all() -> None:
    """It leaves most of what the other closes open."""
    some = a_quota(
        name="monthly", limit=Decimal(1200), window=Window(Unit.MONTH), models=(ModelScope(HAIKU),)
    )
    daily, _ = Story(a_quota(), some).at(NOON, 1234).notices[-2:]
    assert daily.quota == "daily"
    assert "After that" not in message(daily, BERLIN, "x").body


def test_a_block_by_hand_says_who_ends_it_and_counts_nothing() -> None:
    blocked = Story(a_quota(limit=Decimal(0))).at(NOON).notices[0]
    assert blocked.reason == "an admin set the limit to 0 (quota daily of user/alice)"
    sent = message(blocked, BERLIN, "x")
    assert sent.subject == "Amazon Bedrock is blocked for user/alice: quota daily has the limit 0"
    assert "Until: an admin changes the quota." in sent.body
    assert "Used:" not in sent.body


def test_a_notice_of_an_older_version_still_says_what_its_quota_closes() -> None:
    old = Notice(NoticeKind.BLOCKED, NOON, "user/alice", "opus", "because", models=OPUS)
    assert f"What works: every model but {OPUS}" in message(old, BERLIN, "x").body


@pytest.mark.parametrize("kind", SENT)
def test_people_hear_whom_to_ask_and_admins_what_to_do(kind: NoticeKind) -> None:
    body = message(Notice(kind, NOON, "user/alice", "daily", "why"), BERLIN, "the desk").body
    assert ("Questions: the desk." in body) == (kind.audience == "people")
    assert "What to do: " in body or kind.audience == "people"


def test_the_body_is_made_of_the_facts() -> None:
    """Which other forms of it, such as the one for chat, show too."""
    sent = message(Story(a_quota()).at(NOON, 1234).notices[1], BERLIN, "x")
    for label, sentence in sent.facts:
        assert f"{label}: {sentence}\n" in sent.body
    assert sent.body.startswith(f"{sent.headline}.\n")


@pytest.mark.parametrize("kind", SENT)
def test_every_notice_has_its_example(kind: NoticeKind) -> None:
    """In docs/notices.md, for admins to see what their people will read."""
    notice, sent = EXAMPLES[kind]()
    assert notice.kind is kind
    assert f"Subject: {sent.subject}\n\n{sent.body}\n" in NOTICES.read_text("utf-8")


def test_the_examples_are_written_down_as_they_are() -> None:
    assert NOTICES.read_text("utf-8") == document(), "tests/support/notice_examples.py"


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
