"""The notices as people read them."""

from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import HAIKU, HOUR, NOON, Story, a_quota
from notice_examples import EXAMPLES, document
from quota_enforcer.core.notices.kinds import WORDS
from quota_enforcer.core.notices.message import message
from quota_enforcer.core.notices.notice import HISTORY_ONLY, Notice, NoticeKind
from quota_enforcer.core.notices.wording import period
from quota_enforcer.core.quotas.quota import UNLIMITED
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
    (blocked,) = Story(a_quota(), zone="Europe/Berlin").at(NOON, 1234).notices
    sent = message(blocked, BERLIN, "cloud-team@example.com")
    assert sent.subject == "Blocked until 25 Nov 00:00 CET: quota daily, user/alice"
    assert sent.body == (
        "Amazon Bedrock is blocked for user/alice: quota daily is used up.\n"
        "\n"
        "Why: 1,234 of 1,000 total tokens used today (quota daily of user/alice).\n"
        "Opens again: 2026-11-25 00:00 CET, in 11 h.\n"
        "What works: no model of Amazon Bedrock; everything else in AWS, as before.\n"
        "To get more: ask cloud-team@example.com.\n"
        "Where to look: `quota-enforcer me` shows your usage and limits; administrators run "
        "`quota-enforcer explain user/alice`.\n"
        "\n"
        "Notice 2026-11-24T12:00:00Z#user/alice#blocked#daily"
    )


def test_a_warning_says_how_much_is_really_used_and_not_its_threshold() -> None:
    warned = Story(a_quota()).at(NOON, 845).notices[0]
    sent = message(warned, BERLIN, "x")
    assert sent.subject == "84 % used, resets 25 Nov 01:00 CET: quota daily, user/alice"
    assert sent.headline == "user/alice has used 84 % of Bedrock quota daily"
    assert "80 %" not in sent.body


@pytest.mark.parametrize(
    ("used", "words"),
    [
        (845, "it is used up at 2026-11-24 15:12 CET, in 2 h 12 min."),
        (600, "it lasts until the reset."),
    ],
)
def test_a_warning_says_when_the_quota_runs_out_at_this_pace(used: int, words: str) -> None:
    """500 and 600 of 1,000 tokens after half a day end the day at 1,000 and at 1,200."""
    quota = a_quota(warn_at=(10,), limit=Decimal(1000 if used > 800 else 1201))
    warned = Story(quota).at(NOON, {NOON - HOUR * hour: used // 5 for hour in range(5)}).notices[0]
    assert f"At this pace: {words}" in message(warned, BERLIN, "x").body


def test_a_warning_after_few_calls_knows_no_pace() -> None:
    warned = Story(a_quota()).at(NOON, 845).notices[0]
    assert "At this pace" not in message(warned, BERLIN, "x").body


LONG = "a-quota-with-a-name-as-long-as-dynamodb-and-the-rules-let-it-be"


@pytest.mark.parametrize("kind", SENT)
def test_the_first_sixty_characters_say_what_happened_until_when_and_which_quota(
    kind: NoticeKind,
) -> None:
    """Phones and lists of mail show no more; long names lose their middle, and come last."""
    who = "sso/somebody.with.a.very.long.name.indeed@subsidiary.example.com"
    notice = Notice(
        kind, NOON, who, LONG, "why", limit=Decimal(1), used=1, window="day",
        models="anthropic.claude-3-opus*", until=NOON + HOUR * 12,
    )  # fmt: skip
    subject = message(notice, ZoneInfo("Asia/Kathmandu"), "x").subject
    first = subject[:60]
    assert "..." in first
    assert "a-qu" in first
    assert first.rstrip(",").endswith("be")
    if kind in {NoticeKind.WARNING, NoticeKind.BLOCKED, NoticeKind.CHANGED}:
        assert "25 Nov 05:45 +0545" in first


def test_a_far_end_has_its_year() -> None:
    notice = Notice(
        NoticeKind.BLOCKED, NOON, "user/alice", "daily", "why", models="*",
        until=NOON.replace(year=2028),
    )  # fmt: skip
    assert message(notice, BERLIN, "x").subject.startswith("Blocked until 24 Nov 2028 13:00 CET:")


def test_two_quotas_that_block_at_once_are_one_notice_of_the_longer() -> None:
    month = a_quota(name="monthly", limit=Decimal(1200), window=Window(Unit.MONTH))
    (notice,) = Story(a_quota(), month).at(NOON, 1234).notices
    sent = message(notice, BERLIN, "x")
    assert (notice.quota, notice.others) == ("monthly", "daily")
    assert sent.subject.startswith("Blocked until 1 Dec 01:00 CET: quota monthly")
    assert "quota monthly of user/alice); 1,234 of 1,000 total tokens used today" in sent.body


def test_no_limit_at_all_is_no_number_of_anything() -> None:
    story = Story(a_quota())
    story.at(NOON, 1234)
    story.quotas = (a_quota(raise_to=UNLIMITED, raise_until=NOON + HOUR),)
    (restored,) = story.at(NOON, 1234).notices
    body = message(restored, BERLIN, "x").body
    assert "Why: there is no limit now." in body
    assert "Used: 1,234, no limit." in body
    assert "no limit total tokens" not in body


def test_a_notice_about_money_is_in_dollars() -> None:
    notice = Notice(
        NoticeKind.COULD_NOT_DENY, NOON, "user/alice", "budget", "because", Decimal("12.3456"),
        Decimal(10), Measure.COST_USD.words, "month", whom="user/alice", models="*",
    )  # fmt: skip
    body = message(notice, BERLIN, "x").body
    assert "Quota: budget ($10.00, month).\n" in body
    assert "Used: $12.34 of $10.00 (123 %).\n" in body


def test_a_notice_about_weighted_tokens_has_their_fractions() -> None:
    notice = Notice(
        NoticeKind.RESTORED, NOON, "user/alice", "weighted", "because", Decimal("1234.50"),
        Decimal("1500.5"), Measure.WEIGHTED_TOKENS.words, "day", 80,
    )  # fmt: skip
    body = message(notice, BERLIN, "x").body
    assert "Quota: weighted (1,500.5 weighted tokens, day).\n" in body
    assert "Used: 1,234.5 of 1,500.5 (82 %).\n" in body


def test_a_model_without_a_price_is_in_the_subject() -> None:
    sent = message(Notice(NoticeKind.PRICE_UNKNOWN, NOON, "", HAIKU, "why"), BERLIN, "x")
    assert sent.subject == f"Price not known: {HAIKU}"
    assert sent.headline == f"Bedrock quotas: a price of {HAIKU} is not known"


def test_a_block_of_one_model_says_what_stays_open() -> None:
    blocked = Story(a_quota(models=(ModelScope(HAIKU),))).at(NOON, 1000).notices[-1]
    sent = message(blocked, BERLIN, "x")
    assert sent.subject == "Blocked in part until 25 Nov 01:00 CET: quota daily, user/alice"
    assert f"What works: every model but {HAIKU}, as before, with API keys too." in sent.body


def test_what_another_quota_closes_is_not_said_to_be_open() -> None:
    """Neither in a warning nor in a later block."""
    family = a_quota(name="family", limit=Decimal(500), models=(ModelScope(FAMILY),))
    story = Story(family, a_quota(models=(ModelScope(HAIKU),)))
    warned = next(each for each in story.at(NOON, 850).notices if each.kind == "warning")
    assert (warned.kind, warned.quota) == ("warning", "daily")
    assert f"What works: every model but {FAMILY}, as" in message(warned, BERLIN, "x").body
    blocked = story.at(NOON, 1000).notices[-1]
    assert (blocked.kind, blocked.quota) == ("blocked", "daily")
    assert f"every model but {FAMILY}, {HAIKU}, as" in message(blocked, BERLIN, "x").body


def test_a_warning_where_nothing_is_closed_says_so() -> None:
    warned = Story(a_quota()).at(NOON, 845).notices[0]
    body = message(warned, BERLIN, "x").body
    assert "What works: everything; nothing is blocked." in body
    assert "Resets: 2026-11-25 01:00 CET, in 12 h, when the count starts again from zero." in body


def test_a_rolling_window_never_begins_anew() -> None:
    warned = Story(a_quota(window=Window(Unit.HOUR, rolling=24))).at(NOON, 845).notices[0]
    body = message(warned, BERLIN, "x").body
    assert "Resets: bit by bit, as usage gets older than 24 hours." in body


def test_a_block_by_hand_says_who_ends_it_and_counts_nothing() -> None:
    blocked = Story(a_quota(limit=Decimal(0))).at(NOON).notices[0]
    assert blocked.reason == "an admin set the limit to 0 (quota daily of user/alice)"
    sent = message(blocked, BERLIN, "x")
    assert sent.subject == "Blocked until an admin acts: quota daily, user/alice"
    assert "Opens again: when an admin changes the quota." in sent.body
    assert "Used:" not in sent.body


def test_a_notice_of_an_older_version_still_says_what_its_quota_closes() -> None:
    old = Notice(NoticeKind.BLOCKED, NOON, "user/alice", "opus", "because", models=OPUS)
    assert f"What works: every model but {OPUS}" in message(old, BERLIN, "x").body


@pytest.mark.parametrize("kind", SENT)
def test_people_hear_whom_to_ask_and_admins_what_to_do(kind: NoticeKind) -> None:
    body = message(Notice(kind, NOON, "user/alice", "daily", "why"), BERLIN, "the desk").body
    assert ("ask the desk." in body) == (kind.audience == "people")
    assert "What to do: " in body or kind.audience == "people"


def test_the_body_is_made_of_the_facts() -> None:
    """Which other forms of it, such as the one for chat, show too."""
    sent = message(Story(a_quota()).at(NOON, 1234).notices[0], BERLIN, "x")
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


def test_every_kind_has_its_words() -> None:
    assert WORDS.keys() == set(NoticeKind)
    assert all(words.headline and words.subject for words in WORDS.values())
