"""docs/reference/webhook.md is true: its receiver verifies what is posted, its example is one."""

import base64
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from notice_examples import EXAMPLES
from quota_enforcer.core.notices.event import notice_event
from quota_enforcer.core.notices.notice import NoticeKind
from quota_enforcer.lambdas.webhook.handler import WAITS
from quota_enforcer.lambdas.webhook.notification import Webhook
from quota_enforcer.lambdas.webhook.post import SECONDS
from quota_enforcer.lambdas.webhook.signature import headers_of, key_of
from template_source import PARAMETERS

PAGE = (Path(__file__).parents[2] / "docs/reference/webhook.md").read_text(encoding="utf-8")
SECRET, OLD = (f"whsec_{base64.b64encode(each * 32).decode()}" for each in (b"k", b"o"))
AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
WEBHOOK = Webhook("msg_1", b'{"type":"message"}')


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def verified(headers: dict[str, str], body: bytes, seconds_later: int = 0) -> bool:
    """What the page's own lines say of it."""
    names: dict[str, Any] = {}
    exec(block("python"), names)  # noqa: S102 - our own page
    now = AT.timestamp() + seconds_later
    return bool(names["verified"](headers, body, SECRET, lambda: now))


def signed(*secrets: str) -> dict[str, str]:
    return dict(headers_of(WEBHOOK, map(key_of, secrets), AT))


def test_its_lines_verify_what_is_posted() -> None:
    assert verified(signed(SECRET), WEBHOOK.body)
    assert verified(signed(OLD, SECRET), WEBHOOK.body), "while the secret is rotated"


@pytest.mark.parametrize(
    ("changed", "body", "later"),
    [
        ({"webhook-id": "msg_2"}, WEBHOOK.body, 0),
        ({"webhook-timestamp": str(int(AT.timestamp()) + 1)}, WEBHOOK.body, 0),
        ({"webhook-signature": "v1,AAAA"}, WEBHOOK.body, 0),
        ({"webhook-signature": ""}, WEBHOOK.body, 0),
        (signed(OLD), WEBHOOK.body, 0),
        ({}, WEBHOOK.body + b" ", 0),
        ({}, WEBHOOK.body, 301),
        ({}, WEBHOOK.body, -301),
    ],
)
def test_its_lines_refuse_all_else(changed: dict[str, str], body: bytes, later: int) -> None:
    assert not verified(signed(SECRET) | changed, body, later)


def test_its_example_is_a_real_event() -> None:
    notice, message = EXAMPLES[NoticeKind.BLOCKED]()
    real = json.loads(notice_event(notice, message))
    shown = json.loads(block("json"))
    assert shown["data"].pop("facts")[0] in real["data"].pop("facts")
    assert shown == real


def test_its_times_are_the_functions() -> None:
    said = re.search(r"posted again after (.*?) and (\w+ h)", PAGE)
    assert said is not None
    words = [*said[1].split(", "), said[2]]
    units = {"s": 1, "min": 60, "h": 3600}
    assert [int(n) * units[u] for n, u in map(str.split, words)] == list(WAITS)
    assert f"within {SECONDS} seconds" in PAGE
    assert round(sum(WAITS) / 3600, 1) == 10.4
    assert {"WebhookUrl", "WebhookSecretArn"} <= PARAMETERS.keys()
