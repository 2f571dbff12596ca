"""A notice for chat: what Amazon Q Developer in chat applications (AWS Chatbot) shows of a topic.

It takes only events of AWS and this "custom notification"; plain text it drops without a word.
https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
"""

import json
from typing import Any, Final

from quota_enforcer.core.notices.message import NEXT_STEPS, Message
from quota_enforcer.core.notices.notice import Notice, NoticeKind

MOST_WORDS: Final = 2_900
"""Characters of the description; a block of Slack's takes 3,000, and more is said nowhere."""
_SIGNS: Final = {
    NoticeKind.WARNING: ":warning:",
    NoticeKind.BLOCKED: ":no_entry:",
    NoticeKind.CHANGED: ":no_entry:",
    NoticeKind.RESTORED: ":white_check_mark:",
}
_FOR_ADMINS: Final = ":wrench:"


def custom_notification(notice: Notice, message: Message) -> str:
    """The JSON text. All notices about one quota of one principal go into one thread."""
    facts = [(label, _plain(words)) for label, words in message.facts]
    told = "\n".join(f"*{label}:* {words}" for label, words in facts if label not in NEXT_STEPS)
    content: dict[str, Any] = {
        "textType": "client-markdown",
        "title": f"{_SIGNS.get(notice.kind, _FOR_ADMINS)} {_plain(message.headline)}",
        "description": told if len(told) <= MOST_WORDS else f"{told[: MOST_WORDS - 3]}...",
        "nextSteps": [f"{label}: {words}" for label, words in facts if label in NEXT_STEPS],
        "keywords": [each for each in (notice.principal, notice.quota, notice.kind) if each],
    }
    metadata = {
        "threadId": "#".join((notice.principal or str(notice.kind), notice.quota)),
        "summary": message.subject,
        "eventType": f"bedrock-quota-{notice.kind}",
        "additionalContext": {"notice": notice.id, "audience": notice.kind.audience},
    }
    return json.dumps(
        {
            "version": "1.0",
            "source": "custom",
            "id": notice.id,
            "content": content,
            "metadata": metadata,
        },
        ensure_ascii=False,
    )


def _plain(words: str) -> str:
    """Text that means no more to Slack than it says: no link, and nobody who is called.

    https://docs.slack.dev/messaging/formatting-message-text
    """
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
