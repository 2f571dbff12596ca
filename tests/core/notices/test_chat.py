"""Notices as Amazon Q Developer in chat applications shows them."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from builders import NOON, Story, a_quota
from notice_examples import EXAMPLES
from quota_enforcer.core.notices.chat import MOST_WORDS, custom_notification
from quota_enforcer.core.notices.message import message
from quota_enforcer.core.notices.notice import HISTORY_ONLY, Notice, NoticeKind

UTC = ZoneInfo("UTC")

SENT = [kind for kind in NoticeKind if kind not in HISTORY_ONLY]
"""The notices that anybody gets; others are only kept."""


def shown(notice: Notice) -> dict[str, Any]:
    """The custom notification of a notice."""
    sent: dict[str, Any] = json.loads(
        custom_notification(notice, message(notice, UTC, "the platform team"))
    )
    return sent


def test_a_block_reads_like_its_mail() -> None:
    (blocked,) = Story(a_quota(warn_at=())).at(NOON, 1234).notices
    assert shown(blocked) == {
        "version": "1.0",
        "source": "custom",
        "id": "2026-11-24T12:00:00Z#user/alice#blocked#daily",
        "content": {
            "textType": "client-markdown",
            "title": (
                ":no_entry: Amazon Bedrock is blocked for user/alice: quota daily is used up"
            ),
            "description": (
                "*Why:* 1,234 of 1,000 total tokens used today (quota daily of user/alice).\n"
                "*Opens again:* 2026-11-25 00:00 UTC, in 12 h.\n"
                "*What works:* no model of Amazon Bedrock; everything else in AWS, as before."
            ),
            "nextSteps": [
                "To get more: ask the platform team.",
                (
                    "Where to look: `quota-enforcer me` shows your usage and limits; "
                    "administrators run `quota-enforcer explain user/alice`."
                ),
            ],
            "keywords": ["user/alice", "daily", "blocked"],
        },
        "metadata": {
            "threadId": "user/alice#daily",
            "summary": "Blocked until 25 Nov 00:00 UTC: quota daily, user/alice",
            "eventType": "bedrock-quota-blocked",
            "additionalContext": {
                "notice": "2026-11-24T12:00:00Z#user/alice#blocked#daily",
                "audience": "people",
            },
        },
    }


def test_all_about_one_quota_of_one_principal_is_one_thread() -> None:
    story = Story(a_quota())
    told = [*story.at(NOON, 1234).notices, *story.at(NOON, 0).notices]
    assert [each.kind for each in told] == ["blocked", "restored"]
    assert {shown(each)["metadata"]["threadId"] for each in told} == {"user/alice#daily"}


@pytest.mark.parametrize("kind", SENT)
def test_every_notice_is_readable_those_for_admins_too(kind: NoticeKind) -> None:
    """What is missing or no text would be dropped without a word."""
    notice, sent = EXAMPLES[kind]()
    told = json.loads(custom_notification(notice, sent))
    assert (told["version"], told["source"]) == ("1.0", "custom")
    content = told["content"]
    assert sent.headline in content["title"]
    label, words = sent.facts[0]
    assert f"*{label}:* {words}" in content["description"].replace("&gt;", ">")
    assert notice.reason in content["title"] + content["description"].replace("&gt;", ">")
    assert len(content["nextSteps"]) >= 1
    assert all(content["keywords"])
    assert told["metadata"]["threadId"]


def test_nothing_that_somebody_named_calls_people_or_links_anywhere() -> None:
    """Quotas are named by admins, and sessions by whoever assumes a role."""
    named = "<!channel> & <https://evil.example|click>"
    told = shown(Notice(NoticeKind.INVALID_QUOTA, NOON, "user/alice", named, f"{named} is wrong"))
    text = told["content"]["title"] + told["content"]["description"]
    assert "<" not in text
    assert "&lt;!channel&gt; &amp; " in text


def test_a_long_reason_is_cut_and_stays_json() -> None:
    told = shown(Notice(NoticeKind.INVALID_QUOTA, NOON, "user/alice", "daily", "ä" * 5000))
    assert len(told["content"]["description"]) == MOST_WORDS
    assert told["content"]["description"].endswith("...")
