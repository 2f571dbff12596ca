"""`subscribe` on the deployed topic; the emulator confirms e-mail addresses by itself."""

import json
from typing import Any

from deployed_stack import DeployedStack
from quota_enforcer.local.embedded import EmbeddedAws


def listed(stack: DeployedStack) -> list[dict[str, Any]]:
    done = stack.command("subscribe", "--list", "--json")
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_an_admin_subscribes_people_to_their_own_notices_and_ends_it(aws: EmbeddedAws) -> None:
    stack = DeployedStack.of(aws, NoticeEmail="ops@example.com")
    for args in (
        ("subscribe", "user/alice", "alice@example.com"),
        ("subscribe", "team/research", "alice@example.com"),
        ("subscribe", "user/bob", "bob@example.com"),
        ("unsubscribe", "user/bob", "bob@example.com"),
        ("subscribe", "user/alice", "ops@example.com"),
    ):
        done = stack.command(*args)
        assert done.exit_code == 0, done.output
    assert [(each["email"], each["principals"]) for each in listed(stack)] == [
        ("alice@example.com", ["team/research", "user/alice"]),
        ("ops@example.com", None),
    ]
    aws.delete(stack.name)
    assert aws.client("sns").list_subscriptions()["Subscriptions"] == []
