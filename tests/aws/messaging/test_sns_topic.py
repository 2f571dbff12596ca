"""Notices as SNS delivers them, and as subscriptions select them."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from builders import NOON
from quota_enforcer.aws.messaging.topic import SnsTopic
from quota_enforcer.core.notices.chat import custom_notification
from quota_enforcer.core.notices.event import notice_event
from quota_enforcer.core.notices.message import Message, message
from quota_enforcer.core.notices.notice import Notice, NoticeKind

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

    from quota_enforcer.enforce.ports.adapters import Topic

MESSAGE = Message("Bedrock is blocked", "Why: 1,000 of 1,000 used.\nQuestions: Zoë")
NOTICE = Notice(NoticeKind.BLOCKED, NOON, "user/alice", "daily", "used up")


@pytest.fixture
def arn(mocked_aws: None, sns_client: "SNSClient") -> str:  # noqa: ARG001
    return sns_client.create_topic(Name="notices")["TopicArn"]


@pytest.fixture
def queue(mocked_aws: None, sqs_client: "SQSClient") -> str:  # noqa: ARG001
    return sqs_client.create_queue(QueueName="alice")["QueueUrl"]


@pytest.fixture
def alice_subscribed(arn: str, queue: str, sns_client: "SNSClient") -> None:
    sns_client.subscribe(
        TopicArn=arn,
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:us-east-1:123456789012:{queue.rpartition('/')[2]}",
        Attributes={"FilterPolicy": json.dumps({"principal": ["user/alice"], "kind": ["blocked"]})},
    )


@pytest.mark.usefixtures("alice_subscribed")
def test_a_subscription_selects_by_principal_and_kind(
    arn: str, queue: str, sns_client: "SNSClient", sqs_client: "SQSClient"
) -> None:
    topic: Topic = SnsTopic(sns_client, arn)
    for notice in (
        NOTICE,
        Notice(NoticeKind.BLOCKED, NOON, "user/bob", "daily", "used up"),
        Notice(NoticeKind.WARNING, NOON, "user/alice", "daily", "80 %"),
        Notice(NoticeKind.BREAKER, NOON, "", "", "many"),
    ):
        topic.publish(notice, MESSAGE)
    received = sqs_client.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    (body,) = (json.loads(message["Body"]) for message in received)
    assert (body["Subject"], body["Message"]) == (MESSAGE.subject, MESSAGE.body)
    assert body["MessageAttributes"]["quota"] == {"Type": "String", "Value": "daily"}


def test_what_is_empty_is_no_attribute(stub: Callable[[str], tuple[Any, Stubber]]) -> None:
    client, answers = stub("sns")
    breaker = Notice(NoticeKind.BREAKER, NOON, "", "", "many")
    forms = {"default": MESSAGE.body, "https": custom_notification(breaker, MESSAGE)}
    request = {
        "TopicArn": "arn:topic",
        "Subject": MESSAGE.subject,
        "Message": json.dumps(forms, ensure_ascii=False),
        "MessageStructure": "json",
        "MessageAttributes": {
            "kind": {"DataType": "String", "StringValue": "breaker"},
            "audience": {"DataType": "String", "StringValue": "admins"},
            "event": {"DataType": "String", "StringValue": notice_event(breaker, MESSAGE)},
        },
    }
    answers.add_response("publish", {"MessageId": "1"}, request)
    SnsTopic(client, "arn:topic").publish(breaker, MESSAGE)


def test_mail_gets_the_text_and_chat_its_own_form(
    arn: str, queue: str, sns_client: "SNSClient", sqs_client: "SQSClient"
) -> None:
    """SNS itself picks one for each protocol; here the queue's is the default, as mail's is."""
    sns_client.subscribe(
        TopicArn=arn,
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:us-east-1:123456789012:{queue.rpartition('/')[2]}",
    )
    sent = message(NOTICE, ZoneInfo("UTC"), "Zoë")
    SnsTopic(sns_client, arn).publish(NOTICE, sent)
    (received,) = sqs_client.receive_message(QueueUrl=queue)["Messages"]
    body = json.loads(received["Body"])
    assert body["Message"] == sent.body
    assert body["MessageAttributes"]["audience"] == {"Type": "String", "Value": "people"}


@pytest.mark.usefixtures("mocked_aws")
def test_a_topic_that_is_gone_is_an_error(sns_client: "SNSClient") -> None:
    with pytest.raises(ClientError, match="NotFound"):
        SnsTopic(sns_client, "arn:aws:sns:us-east-1:123456789012:gone").publish(NOTICE, MESSAGE)
