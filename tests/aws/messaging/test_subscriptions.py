"""E-mail subscriptions as SNS keeps them; a stub says what moto does not: nobody has confirmed."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from builders import NOON
from quota_enforcer.aws.messaging.subscriptions import SnsSubscriptions
from quota_enforcer.aws.messaging.topic import SnsTopic
from quota_enforcer.core.notices.message import Message
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.notices.subscription import CannotSubscribe, Subscription, filter_for

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

ANN, OPS = "ann@example.com", "ops@example.com"
ALICE = filter_for(["user/alice"])


@pytest.fixture
def arn(mocked_aws: None, sns_client: "SNSClient") -> str:  # noqa: ARG001
    return sns_client.create_topic(Name="notices")["TopicArn"]


@pytest.fixture
def subscriptions(arn: str, sns_client: "SNSClient") -> SnsSubscriptions:
    return SnsSubscriptions(sns_client, arn)


def test_an_address_is_subscribed_with_its_filter(subscriptions: SnsSubscriptions) -> None:
    subscriptions.add(ANN, ALICE)
    (found,) = subscriptions.by_email()
    assert (found.email, found.principals) == (ANN, ("user/alice",))
    assert subscriptions.find("Ann@Example.com") == found
    assert subscriptions.find(OPS) is None


def test_its_filter_can_be_changed(subscriptions: SnsSubscriptions) -> None:
    subscriptions.add(ANN, ALICE)
    (found,) = subscriptions.by_email()
    subscriptions.change(found, filter_for(["role/ci", "user/alice"]))
    (changed,) = subscriptions.by_email()
    assert changed.principals == ("role/ci", "user/alice")
    assert changed.id == found.id


def test_it_can_be_ended(subscriptions: SnsSubscriptions) -> None:
    subscriptions.add(ANN, ALICE)
    (found,) = subscriptions.by_email()
    subscriptions.remove(found)
    assert subscriptions.by_email() == []


def test_who_gets_everything_has_no_filter(
    arn: str, sns_client: "SNSClient", subscriptions: SnsSubscriptions
) -> None:
    """As the template subscribes NoticeEmail."""
    sns_client.subscribe(TopicArn=arn, Protocol="email", Endpoint=OPS)
    subscriptions.add(ANN, ALICE)
    assert [(each.email, each.everything) for each in subscriptions.by_email()] == [
        (OPS, True),
        (ANN, False),
    ]
    assert (subscriptions.count(), subscriptions.filters()) == (2, 1)


def test_filters_of_other_kinds_of_subscriptions_count_too(
    arn: str, sns_client: "SNSClient", sqs_client: "SQSClient", subscriptions: SnsSubscriptions
) -> None:
    sqs_client.create_queue(QueueName="q")
    sns_client.subscribe(
        TopicArn=arn,
        Protocol="sqs",
        Endpoint="arn:aws:sqs:us-east-1:123456789012:q",
        Attributes={"FilterPolicy": json.dumps({"kind": ["breaker"]})},
    )
    assert subscriptions.by_email() == []
    assert (subscriptions.count(), subscriptions.filters()) == (1, 1)


def test_more_subscriptions_than_one_page_has_are_all_seen(
    subscriptions: SnsSubscriptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moto.sns.models.DEFAULT_PAGE_SIZE", 3)
    for number in range(8):
        subscriptions.add(f"u{number}@example.com", ALICE)
    assert subscriptions.count() == 8
    assert len(subscriptions.by_email()) == 8


def test_the_filter_lets_just_these_principals_notices_through(
    arn: str, sns_client: "SNSClient", sqs_client: "SQSClient"
) -> None:
    """By a queue, which can be read, with the filter that an address gets."""
    queue = sqs_client.create_queue(QueueName="ann")["QueueUrl"]
    sns_client.subscribe(
        TopicArn=arn,
        Protocol="sqs",
        Endpoint="arn:aws:sqs:us-east-1:123456789012:ann",
        Attributes={"FilterPolicy": filter_for(["sso/ann@example.com", "team/research"])},
    )
    topic = SnsTopic(sns_client, arn)
    for who in ("sso/ann@example.com", "sso/bob@example.com", "team/research", "user/ann", ""):
        topic.publish(Notice(NoticeKind.BLOCKED, NOON, who, "daily", "used up"), Message(who, "x"))
    received = sqs_client.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert sorted(json.loads(each["Body"])["Subject"] for each in received) == [
        "sso/ann@example.com",
        "team/research",
    ]


def test_who_has_not_confirmed_waits_and_who_unsubscribed_is_gone(
    stub: Callable[[str], tuple[Any, Stubber]],
) -> None:
    client, answers = stub("sns")
    listed = [
        {"Protocol": "email", "Endpoint": ANN, "SubscriptionArn": "PendingConfirmation"},
        {"Protocol": "email", "Endpoint": OPS, "SubscriptionArn": "Deleted"},
    ]
    for _ in range(2):
        answers.add_response(
            "list_subscriptions_by_topic", {"Subscriptions": listed}, {"TopicArn": "arn:topic"}
        )
    subscriptions = SnsSubscriptions(client, "arn:topic")
    (found,) = subscriptions.by_email()
    assert found == Subscription(ANN)
    assert found.waiting
    assert subscriptions.filters() == 1


def test_the_limit_of_the_account_is_told_with_what_to_do(
    stub: Callable[[str], tuple[Any, Stubber]],
) -> None:
    client, answers = stub("sns")
    answers.add_client_error("subscribe", "FilterPolicyLimitExceeded", "too many")
    with pytest.raises(CannotSubscribe, match="have it raised in Service Quotas"):
        SnsSubscriptions(client, "arn:topic").add(ANN, ALICE)
