"""The form for chat against the schema and the limits that are published for it.

The event schema of custom notifications:
https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html (read 2026-11-29).
Of limits it says nothing; those of who shows it in the end hold:
https://docs.slack.dev/reference/block-kit/blocks/section-block (text: 3,000 characters),
https://docs.slack.dev/reference/block-kit/blocks (50 blocks in a message), and
https://learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages (a card of
28 KB). SNS takes 262,144 bytes with all forms and attributes, and ten attributes:
https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from builders import UTC_ZONE
from notice_examples import EXAMPLES, URL
from quota_enforcer.aws.messaging.topic import SnsTopic
from quota_enforcer.core.notices.chat import custom_notification
from quota_enforcer.core.notices.message import Message, message
from quota_enforcer.core.notices.notice import Notice, NoticeKind

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA: dict[str, Any] = {
    "version": "1.0",
    "source": "custom",
    "id": str,
    "content": {
        "textType": "client-markdown",
        "title": str,
        "description": str,
        "nextSteps": [str],
        "keywords": [str],
    },
    "metadata": {
        "threadId": str,
        "summary": str,
        "eventType": str,
        "relatedResources": [str],
        "additionalContext": {str: str},
    },
}
REQUIRED = {"version", "source"}
SECTION, BLOCKS, CARD, SNS, ATTRIBUTES = 3_000, 50, 28_000, 262_144, 10

LONGEST = {
    "principal": f"444455556666/session/{'r' * 64}/{'s' * 64}",
    "quota": "q" * 255,
    "whom": f"team/{'t' * 255}",
    "models": ", ".join(f"anthropic.claude-{n}-{'m' * 180}*" for n in range(6)),
    "closed": ", ".join(f"anthropic.claude-{n}-{'m' * 180}*" for n in range(6)),
    "by": f"role/{'a' * 64}",
}
"""As long as IAM, DynamoDB's console and Bedrock let a name be."""


def problems(value: Any, schema: Any, place: str = "") -> Iterator[str]:
    """Where a value is not what the schema says."""
    if isinstance(schema, dict) and isinstance(value, dict):
        named = str not in schema
        for name, each in value.items():
            if named and name not in schema:
                yield f"{place}.{name} is unknown"
            else:
                yield from problems(each, schema[name if named else str], f"{place}.{name}")
    elif isinstance(schema, list) and isinstance(value, list):
        for number, each in enumerate(value):
            yield from problems(each, schema[0], f"{place}[{number}]")
    elif not (isinstance(value, str) and value) or schema not in (str, value):
        yield f"{place} is {value!r}"


def long_one(kind: NoticeKind) -> tuple[Notice, Message]:
    """The example with the longest names, reasons and amounts."""
    notice, _ = EXAMPLES[kind]()
    named: dict[str, Any] = {name: long for name, long in LONGEST.items() if getattr(notice, name)}
    # A digest's is an amount and a date, and has no names.
    reason = notice.reason if notice.facts else f"{notice.reason} {'w' * 9_000}"
    facts = tuple((label, f"{words} {'f' * 900}") for label, words in notice.facts)
    longest = replace(
        notice, **named, reason=reason, facts=facts,
        used=Decimal(10) ** 30, limit=notice.limit and Decimal(10) ** 29,
    )  # fmt: skip
    return longest, message(longest, UTC_ZONE, "c" * 200, URL)


@pytest.mark.parametrize("kind", EXAMPLES)
@pytest.mark.parametrize("of", [lambda kind: EXAMPLES[kind](), long_one], ids=["real", "longest"])
def test_every_kind_is_as_the_schema_says(
    kind: NoticeKind, of: "Callable[[NoticeKind], tuple[Notice, Message]]"
) -> None:
    text = custom_notification(*of(kind))
    told = json.loads(text)
    assert list(problems(told, SCHEMA)) == []
    assert told.keys() >= REQUIRED
    content = told["content"]
    assert len(content["description"]) <= SECTION
    assert sum(len(each) + 4 for each in content["nextSteps"]) <= SECTION
    assert len(content["title"]) <= SECTION
    assert len(content["nextSteps"]) + len(content["keywords"]) + 2 <= BLOCKS
    assert len(text.encode()) <= CARD


@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_kind_is_taken_by_sns(kind: NoticeKind) -> None:
    sent: dict[str, Any] = {}
    client: Any = SimpleNamespace(publish=lambda **request: sent.update(request))
    SnsTopic(client, "arn:topic").publish(*long_one(kind))
    attributes = sent["MessageAttributes"]
    assert len(attributes) <= ATTRIBUTES
    assert all(each["StringValue"] for each in attributes.values())
    assert len(json.dumps(sent, ensure_ascii=False).encode()) <= SNS
    assert len(sent["Subject"]) < 100
    assert sent["Subject"].isascii()
    assert json.loads(attributes["event"]["StringValue"])["data"]["kind"] == kind


def test_the_check_itself_notices_what_is_wrong() -> None:
    told = json.loads(custom_notification(*EXAMPLES[NoticeKind.BLOCKED]()))
    for wrong in (
        {"version": 1}, {"extra": "x"}, {"id": ""}, {"content": {"title": None}},
        {"content": {"nextSteps": "one"}}, {"content": {"keywords": [""]}},
        {"metadata": {"additionalContext": {"a": 1}}},
    ):  # fmt: skip
        assert list(problems(told | wrong, SCHEMA)), wrong
