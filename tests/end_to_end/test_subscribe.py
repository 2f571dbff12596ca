"""Where notices go from the deployed topic: a webhook, and people's own subscriptions.

The emulator confirms e-mail addresses by itself.
"""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from deployed_stack import DeployedStack
from quota_enforcer.lambdas.webhook.handler import WAITS
from quota_enforcer.lambdas.webhook.notification import Webhook
from quota_enforcer.lambdas.webhook.signature import headers_of
from quota_enforcer.local.embedded import EmbeddedAws, Ended
from webhook_receiver import Posted, WebhookReceiver, receiving

KEY = b"a key of thirty-two random bytes"
MONDAY = datetime(2027, 3, 8, 7, tzinfo=UTC)


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebhookReceiver]:
    with receiving(tmp_path_factory.mktemp("receiver")) as found:
        yield found


@pytest.fixture(scope="module")
def stack(shared_aws: EmbeddedAws, receiver: WebhookReceiver) -> DeployedStack:
    """With a webhook, whose function takes the receiver's certificate for good."""
    secret = shared_aws.client("secretsmanager").create_secret(
        Name="webhook", SecretString=f"whsec_{base64.b64encode(KEY).decode()}"
    )
    given = {"WebhookUrl": f"{receiver.url}/hook", "WebhookSecretArn": secret["ARN"]}
    stack = DeployedStack.of(shared_aws, NoticeEmail="ops@example.com", **given)
    functions = shared_aws.client("lambda")
    name = stack.resource("WebhookFunction")
    environment = functions.get_function_configuration(FunctionName=name)["Environment"]
    environment["Variables"]["SSL_CERT_FILE"] = str(receiver.certificate)
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": environment["Variables"]}
    )
    return stack


def posts(stack: DeployedStack) -> list[Ended]:
    """What became of each attempt to post, once all are over."""
    name = stack.resource("WebhookFunction")
    return [each for each in stack.aws.settle() if each.function == name]


def verified(posted: Posted) -> dict[str, Any]:
    """Its event, if it is signed with the key."""
    at = datetime.fromtimestamp(int(posted.headers["webhook-timestamp"]), UTC)
    webhook = Webhook(posted.headers["webhook-id"], posted.body)
    assert (
        posted.headers["webhook-signature"] == headers_of(webhook, [KEY], at)["webhook-signature"]
    )
    return posted.event


def test_mondays_digest_reaches_the_webhook_once_it_answers(
    stack: DeployedStack, receiver: WebhookReceiver
) -> None:
    stack.sweep()
    posts(stack)
    receiver.posted.clear()
    stack.aws.set_time(MONDAY)
    receiver.answers = [(500, {}), (302, {"location": "/elsewhere"}), (200, {})]
    stack.aws.fire_schedule(stack.name, "EnforcerSchedule")
    posts(stack)
    for _ in range(2):
        stack.sweep()
    found = [(verified(each), each) for each in receiver.posted]
    digests = [each for event, each in found if event["type"] == "notice.digest"]
    assert len(digests) == 3, "one notice, three attempts"
    assert digests[0].event["data"]["id"] == "2027-03-08T07:00:00Z##digest#"
    assert {each.path for each in digests} == {"/hook"}
    assert len({each.headers["webhook-id"] for each in digests}) == 1


def test_an_alarm_is_posted_too(stack: DeployedStack, receiver: WebhookReceiver) -> None:
    receiver.posted.clear()
    alarm = {"AlarmName": "EnforcerSilent", "NewStateValue": "ALARM"}
    stack.aws.client("sns").publish(
        TopicArn=stack.outputs["NoticeTopic"], Subject="ALARM", Message=json.dumps(alarm)
    )
    posts(stack)
    told = [verified(each)["data"]["alarm"] for each in receiver.posted]
    assert alarm in told, "among those that rang by themselves"


def test_what_is_never_accepted_lands_in_the_dead_letters(
    stack: DeployedStack, receiver: WebhookReceiver
) -> None:
    receiver.posted.clear()
    receiver.answers = [(404, {})]
    stack.aws.client("sns").publish(TopicArn=stack.outputs["NoticeTopic"], Message="hello")
    posts(stack)
    hello = [each for each in receiver.posted if each.event["data"].get("text") == "hello"]
    assert len(hello) == len(WAITS) + 1
    assert len({each.headers["webhook-id"] for each in hello}) == 1
    sqs = stack.aws.client("sqs")
    letters = sqs.receive_message(
        QueueUrl=stack.resource("WebhookDeadLetters"), MaxNumberOfMessages=10
    )["Messages"]
    assert [json.loads(each["Body"])["Message"] for each in letters].count("hello") == 1
    left = sqs.get_queue_attributes(
        QueueUrl=stack.resource("WebhookQueue"), AttributeNames=["All"]
    )["Attributes"]
    assert left["ApproximateNumberOfMessages"] == "0"
    assert left["ApproximateNumberOfMessagesNotVisible"] == "0"


def listed(stack: DeployedStack) -> list[dict[str, Any]]:
    done = stack.command("subscribe", "--list", "--json")
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_an_admin_subscribes_people_to_their_own_notices_and_ends_it(
    stack: DeployedStack,
) -> None:
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
    stack.aws.delete(stack.name)
    assert stack.aws.client("sns").list_subscriptions()["Subscriptions"] == []
