"""Edits in the DynamoDB console end to end: the table's stream, the real enforcer, IAM's decisions.

No tick of the schedule helps, unless a test says so.
"""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from deployed_stack import ALLOW, DeployedStack, call, is_refused
from embedded_account import Caller, document
from quota_enforcer.core.deployment import Settings
from quota_enforcer.core.notices.notice import NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.enforce.ports.ledger import Ledger
from quota_enforcer.lambdas.enforcer import wiring

if TYPE_CHECKING:
    from collections.abc import Callable

PASTED: dict[str, Any] = {
    "principal": {"S": "user/alice"},
    "quota": {"S": "daily"},
    "measure": {"S": "total_tokens"},
    "limit": {"N": "1000"},
    "window": {"S": "day"},
}
"""As one pastes it into the console's JSON view."""


def paste(stack: DeployedStack, **but: Any) -> None:
    """Save an item in the console."""
    stack.aws.client("dynamodb").put_item(TableName=stack.outputs["QuotaTable"], Item=PASTED | but)


def woken(stack: DeployedStack) -> list[tuple[str, str]]:
    return stack.told_by_the_stream()


def configured(stack: DeployedStack) -> dict[str, str]:
    found = stack.aws.client("lambda").get_function_configuration(
        FunctionName=stack.outputs["EnforcerFunction"]
    )
    variables: dict[str, str] = found["Environment"]["Variables"]
    return variables


def ledger(stack: DeployedStack) -> Ledger:
    return wiring.ledger(Settings.from_environment(configured(stack)), stack.aws.session())


@pytest.fixture
def hearing(streaming: DeployedStack) -> str:
    """A queue that hears all notices."""
    aws = streaming.aws
    arn = f"arn:aws:sqs:{aws.region}:{aws.account_id}:all"
    sends = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}}
    policy = document(sends | {"Action": "sqs:SendMessage", "Resource": arn})
    made = aws.client("sqs").create_queue(QueueName="all", Attributes={"Policy": policy})
    topic = streaming.outputs["NoticeTopic"]
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    queue: str = made["QueueUrl"]
    return queue


def heard(stack: DeployedStack, queue: str) -> list[tuple[str, str]]:
    """Kind and text of what came since the last time; alarms are none."""
    sqs, read = stack.aws.client("sqs"), []
    while found := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in found:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            sent = json.loads(message["Body"])
            kind = sent.get("MessageAttributes", {}).get("kind", {}).get("Value")
            if kind:
                read.append((kind, sent["Message"]))
    return read


def test_saving_an_item_blocks_and_saving_or_deleting_it_again_unblocks(
    streaming: DeployedStack, user: Caller
) -> None:
    alice = user("alice", ALLOW)
    call(alice, 600)
    streaming.metered()
    paste(streaming, limit={"N": "500"})
    assert woken(streaming) == [("user/alice", "blocked")]
    assert is_refused(lambda: call(alice))
    paste(streaming, limit={"N": "5000"})
    assert woken(streaming) == [("user/alice", "restored")]
    call(alice)
    streaming.metered()
    paste(streaming, limit={"N": "0"})
    assert woken(streaming) == [("user/alice", "blocked")]
    assert is_refused(lambda: call(alice))
    key = {name: PASTED[name] for name in ("principal", "quota")}
    streaming.aws.client("dynamodb").delete_item(TableName=streaming.outputs["QuotaTable"], Key=key)
    assert woken(streaming) == [("user/alice", "restored")]
    call(alice)


@pytest.mark.parametrize("but", [{"enabled": {"BOOL": False}}, {"exempt": {"BOOL": True}}])
def test_disabling_and_exempting_unblock(
    streaming: DeployedStack, user: Caller, but: dict[str, Any]
) -> None:
    alice = user("alice", ALLOW)
    paste(streaming, limit={"N": "0"})
    streaming.metered()
    assert is_refused(lambda: call(alice))
    paste(streaming, limit={"N": "0"}, **but)
    streaming.metered()
    call(alice)


def test_garbage_leaves_the_last_valid_version_in_force_and_tells_admins_once(
    streaming: DeployedStack, user: Caller, hearing: str
) -> None:
    alice = user("alice", ALLOW)
    paste(streaming)
    call(alice, 1200)
    streaming.metered()
    heard(streaming, hearing)
    for note in ("typed", "typed again"):
        paste(streaming, limit={"S": "lots"}, note={"S": note})
        streaming.metered()
    streaming.sweep()
    assert is_refused(lambda: call(alice))
    ((kind, text),) = heard(streaming, hearing)
    assert kind == "invalid-quota"
    assert "Bedrock quota daily of user/alice is not valid." in text
    assert "limit is 'lots'; allowed: a whole number, 0 or more." in text
    paste(streaming, limit={"N": "5000"})
    assert woken(streaming) == [("user/alice", "restored")]
    call(alice)


def test_the_history_has_each_edit_once_and_mail_has_none(
    streaming: DeployedStack, hearing: str
) -> None:
    def at_the_command_line(limit: str) -> None:
        streaming.command("quota", "set", "user/alice", "daily", "--limit", limit, "--yes")

    thresholds = {"L": [{"N": "50"}, {"N": "90"}]}
    edits: list[Callable[[], None]] = [
        lambda: paste(streaming),
        lambda: paste(streaming, limit={"N": "2000"}, warn_at=thresholds),
        lambda: at_the_command_line("3000"),
        lambda: at_the_command_line("4000"),
    ]
    for edit in edits:
        streaming.aws.set_time(streaming.aws.time + timedelta(seconds=10))
        edit()
        streaming.metered()
    streaming.sweep()
    root = f"arn:aws:iam::{streaming.aws.account_id}:root"
    past = ledger(streaming).history(Principal.parse("user/alice"))
    assert [(each.reason, each.by) for each in past if each.kind is NoticeKind.EDITED] == [
        ("added: measure total_tokens, limit 1,000, window day", "see CloudTrail"),
        ("limit 1,000 -> 2,000, warn_at - -> 50,90", "see CloudTrail"),
        ("limit 2,000 -> 3,000", root),
        ("limit 3,000 -> 4,000", root),
    ]
    assert heard(streaming, hearing) == []


def test_an_edit_of_the_default_concerns_whoever_has_called(
    streaming: DeployedStack, user: Caller
) -> None:
    callers = [user(name, ALLOW) for name in ("alice", "bob", "carol")]
    for caller in callers:
        call(caller, 600)
    streaming.metered()
    paste(streaming, principal={"S": "default"}, limit={"N": "500"})
    assert sorted(who for who, kind in woken(streaming) if kind == "blocked") == [
        "user/alice",
        "user/bob",
        "user/carol",
    ]
    for caller in callers:
        assert is_refused(lambda caller=caller: call(caller))  # type: ignore[misc]


def test_a_price_is_told_to_the_meters_at_once(streaming: DeployedStack) -> None:
    price = {"principal": "price/acme.model-1", "quota": "price", "input": "2"}
    item = {name: {"S": value} for name, value in price.items()}
    streaming.aws.client("dynamodb").put_item(TableName=streaming.outputs["QuotaTable"], Item=item)
    streaming.metered()
    assert set(ledger(streaming).meter_rules().prices) == {"acme.model-1"}


def test_what_lambda_gives_up_is_heard_of_and_done_by_the_next_sweep(
    streaming: DeployedStack, user: Caller
) -> None:
    alice, functions = user("alice", ALLOW), streaming.aws.client("lambda")
    enforcer, good = streaming.outputs["EnforcerFunction"], configured(streaming)
    broken = {"Variables": good | {"TIME_ZONE": "Nowhere"}}
    functions.update_function_configuration(FunctionName=enforcer, Environment=broken)
    paste(streaming, limit={"N": "0"})
    (ended,) = streaming.aws.settle()
    assert (ended.attempts, ended.error["errorType"]) == (4, "ConfigError")
    call(alice)
    queue = streaming.aws.client("sqs").list_queues(QueueNamePrefix="bedrock-quota-EnforcerDead")
    (message,) = streaming.aws.client("sqs").receive_message(QueueUrl=queue["QueueUrls"][0])[
        "Messages"
    ]
    told = json.loads(message["Body"])
    assert told["requestContext"]["condition"] == "RetryAttemptsExhausted"
    functions.update_function_configuration(FunctionName=enforcer, Environment={"Variables": good})
    streaming.aws.settle()
    streaming.sweep()
    assert is_refused(lambda: call(alice))
