"""The webhook function: what is posted, signed by whom, and what becomes of what is refused."""

import base64
import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from builders import NOON
from notice_examples import EXAMPLES
from quota_enforcer.aws.messaging.webhook import KEPT, SigningSecrets
from quota_enforcer.core.errors import ConfigError
from quota_enforcer.core.notices.event import notice_event
from quota_enforcer.core.notices.notice import NoticeKind
from quota_enforcer.lambdas.webhook import handler as function
from quota_enforcer.lambdas.webhook import post as posting
from quota_enforcer.lambdas.webhook.handler import WAITS, NotAccepted, wait_after
from quota_enforcer.lambdas.webhook.notification import NoNotification, Webhook, webhook_of
from quota_enforcer.lambdas.webhook.post import PostAnswer, post
from quota_enforcer.lambdas.webhook.signature import headers_of, key_of
from template_values import MOST
from webhook_receiver import WebhookReceiver, receiving

KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()
OLD = "whsec_" + base64.b64encode(b"o" * 32).decode()
CONTEXT = SimpleNamespace(
    aws_request_id="1", function_name="f", memory_limit_in_mb=512, invoked_function_arn="a"
)


def envelope(message: str, subject: str = "s", event: str = "", id_: str = "m-1") -> str:
    """What SNS leaves in a queue."""
    attributes = {"event": {"Type": "String", "Value": event}} if event else {}
    said = {"Type": "Notification", "MessageId": id_, "TopicArn": "arn", "Subject": subject,
            "Message": message, "Timestamp": "2026-11-24T12:00:00.000Z",
            "MessageAttributes": attributes}  # fmt: skip
    return json.dumps(said)


def of_kind(kind: NoticeKind, id_: str = "m-1") -> Webhook:
    notice, message = EXAMPLES[kind]()
    return webhook_of(envelope(message.body, message.subject, notice_event(notice, message), id_))


class TestWhatIsPosted:
    @pytest.mark.parametrize("kind", EXAMPLES)
    def test_each_notice_says_what_its_mail_says(self, kind: NoticeKind) -> None:
        notice, message = EXAMPLES[kind]()
        said = json.loads(of_kind(kind).body)
        assert said["type"] == f"notice.{kind.replace('-', '_')}"
        assert datetime.fromisoformat(said["timestamp"]) == notice.at
        data = said["data"]
        assert (data["id"], data["kind"]) == (notice.id, kind)
        assert (data["subject"], data["headline"]) == (message.subject, message.headline)
        facts = [(each["label"], each["text"]) for each in data["facts"]]
        assert tuple(facts) == message.facts

    def test_a_block_has_its_numbers(self) -> None:
        data = json.loads(of_kind(NoticeKind.BLOCKED).body)["data"]
        assert (data["used"], data["limit"], data["measure"]) == ("1234", "1200", "total tokens")
        assert data["until"] == "2026-12-01T00:00:00+00:00"
        assert data["principal"] == "user/alice"

    def test_the_same_notice_has_the_same_id_however_often_it_was_published(self) -> None:
        blocked = of_kind(NoticeKind.BLOCKED, "m-1")
        EXAMPLES[NoticeKind.BLOCKED].cache_clear()
        assert blocked == of_kind(NoticeKind.BLOCKED, "m-2")
        assert blocked.id != of_kind(NoticeKind.WARNING, "m-1").id
        assert blocked.id.startswith("msg_")
        assert "." not in blocked.id

    def test_an_alarm_is_what_cloudwatch_says(self) -> None:
        alarm = {"AlarmName": "EnforcerFailing", "NewStateValue": "ALARM", "NewStateReason": "1"}
        said = json.loads(webhook_of(envelope(json.dumps(alarm), "ALARM: x")).body)
        assert said == {
            "type": "alarm.alarm",
            "timestamp": "2026-11-24T12:00:00.000Z",
            "data": {"subject": "ALARM: x", "alarm": alarm},
        }

    @pytest.mark.parametrize("text", ["plain", "[1]", '{"a": 1}', "{", "Zoë 🚫", "[" * 9999])
    def test_all_else_is_its_text(self, text: str) -> None:
        said = json.loads(webhook_of(envelope(text)).body)
        assert (said["type"], said["data"]["text"]) == ("message", text)

    def test_each_message_of_others_has_an_id_of_its_own(self) -> None:
        assert webhook_of(envelope("x", id_="a")).id != webhook_of(envelope("x", id_="b")).id

    @pytest.mark.parametrize("event", ["x", "[]", '{"data": 1}', "{}"])
    def test_an_event_that_is_none_is_left_out(self, event: str) -> None:
        assert json.loads(webhook_of(envelope("text", event=event)).body)["type"] == "message"

    @pytest.mark.parametrize("text", ["", "hello", "{}", "[]", '{"MessageId": 1}'])
    def test_what_sns_did_not_write_is_refused(self, text: str) -> None:
        with pytest.raises(NoNotification):
            webhook_of(text)


class TestSignature:
    def test_it_is_that_of_the_published_libraries(self) -> None:
        """A vector of the specification's own libraries."""
        webhook = Webhook("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}')
        at = datetime.fromtimestamp(1614265330, UTC)
        headers = headers_of(webhook, [key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")], at)
        assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        assert headers["webhook-timestamp"] == "1614265330"
        assert headers["webhook-id"] == webhook.id

    @pytest.mark.parametrize(
        "secret",
        ["", "x", "whsec_", "whsec_!!!", "whsec_c2hvcnQ=", base64.b64encode(b"k" * 32).decode(),
         "whsec_" + base64.b64encode(b"k" * 23).decode(),
         "whsec_" + base64.b64encode(b"k" * 65).decode(), '{"secret": "x"}'],
    )  # fmt: skip
    def test_what_is_no_signing_secret_is_refused_and_never_quoted(self, secret: str) -> None:
        with pytest.raises(ConfigError) as refused:
            key_of(secret)
        assert "openssl rand -base64 32" in str(refused.value)
        assert len(secret) < 8 or secret not in str(refused.value)

    @pytest.mark.parametrize("size", [24, 32, 64])
    def test_every_size_of_the_specification_is_taken(self, size: int) -> None:
        assert key_of(f"whsec_{base64.b64encode(b'k' * size).decode()}\n") == b"k" * size


class FakeSecrets:
    """Secrets Manager with one secret."""

    def __init__(self, **stages: str) -> None:
        self.stages = stages
        self.asked = 0

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> Any:  # noqa: N803
        self.asked += 1
        client: Any = boto3.client("secretsmanager", region_name="us-east-1")
        if VersionStage not in self.stages:
            response: Any = {"Error": {"Code": "ResourceNotFoundException", "Message": SecretId}}
            raise client.exceptions.ClientError(response, "GetSecretValue")
        return {"SecretString": self.stages[VersionStage]}


class TestSecret:
    def test_a_rotated_one_signs_besides(self) -> None:
        secrets = SigningSecrets(FakeSecrets(AWSCURRENT=KEY, AWSPREVIOUS=OLD), "arn")
        assert secrets.read(NOON) == (KEY, OLD)

    def test_one_that_was_never_rotated_signs_alone(self) -> None:
        assert SigningSecrets(FakeSecrets(AWSCURRENT=KEY), "arn").read(NOON) == (KEY,)

    def test_it_is_read_again_after_a_while(self) -> None:
        client = FakeSecrets(AWSCURRENT=OLD)
        secrets = SigningSecrets(client, "arn")
        assert secrets.read(NOON) == (OLD,)
        client.stages = {"AWSCURRENT": KEY, "AWSPREVIOUS": OLD}
        assert secrets.read(NOON + KEPT - timedelta(seconds=1)) == (OLD,)
        assert client.asked == 2
        assert secrets.read(NOON + KEPT) == (KEY, OLD)

    def test_without_one_nothing_is_signed(self) -> None:
        with pytest.raises(Exception, match="ResourceNotFound"):
            SigningSecrets(FakeSecrets(), "arn").read(NOON)


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebhookReceiver]:
    with receiving(tmp_path) as found:
        trusted = ssl.create_default_context(cafile=str(found.certificate))
        monkeypatch.setattr(posting, "_tls", lambda: trusted)
        yield found


class TestPosting:
    def test_what_is_accepted(self, receiver: WebhookReceiver) -> None:
        for status in (200, 202, 204, 299):
            receiver.answers = [(status, {})]
            assert post(receiver.url, b"{}", {}).accepted

    @pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 410, 429, 500, 503])
    def test_what_is_not_and_no_redirect_is_followed(
        self, receiver: WebhookReceiver, status: int
    ) -> None:
        receiver.answers = [(status, {"location": f"{receiver.url}/else", "retry-after": "7"})]
        answer = post(f"{receiver.url}/a?b=c", b"{}", {})
        assert answer == PostAnswer(status, "", 7)
        assert not answer.accepted
        assert [each.path for each in receiver.posted] == ["/a?b=c"]

    @pytest.mark.parametrize("wait", ["", "soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "²"])
    def test_another_wait_is_none(self, receiver: WebhookReceiver, wait: str) -> None:
        receiver.answers = [(503, {"retry-after": wait.encode().decode("latin-1")})]
        assert post(receiver.url, b"{}", {}).again_in == 0

    def test_a_certificate_that_nobody_vouches_for_is_no_receiver(
        self, receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.undo()
        answer = post(receiver.url, b"{}", {})
        assert (answer.status, answer.words) == (0, "SSLCertVerificationError")
        assert receiver.posted == []

    def test_nobody_there_is_an_answer_too(self) -> None:
        assert post("https://127.0.0.1:1", b"{}", {}) == PostAnswer(0, "ConnectionRefusedError")
        assert post("https://nobody.invalid", b"{}", {}).words == "gaierror"


@pytest.mark.parametrize(
    ("attempt", "asked", "seconds"),
    [(1, 0, 10), (2, 0, 60), (7, 0, 21_600), (8, 0, 0), (9, 60, 0), (1, 30, 30), (3, 30, 300),
     (1, 10**9, 21_600)],
)  # fmt: skip
def test_each_attempt_waits_longer_or_as_the_receiver_asks(
    attempt: int, asked: int, seconds: int
) -> None:
    assert wait_after(attempt, PostAnswer(503, "", asked)) == seconds


def test_the_queue_hands_over_to_the_dead_letters_after_the_last_attempt() -> None:
    queue = MOST.properties("WebhookQueue")
    assert queue["RedrivePolicy"]["maxReceiveCount"] == len(WAITS) + 1
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == "WebhookDeadLetters.Arn"
    assert queue["MessageRetentionPeriod"] > 2 * sum(WAITS)
    limit = MOST.properties("WebhookFunction")["Timeout"]
    assert queue["VisibilityTimeout"] == 6 * limit
    assert limit > posting.SECONDS
    assert MOST.properties("WebhookPosts")["BatchSize"] == 1
    assert max(WAITS) <= 12 * 3600


class TestFunction:
    """On moto's queue and secret."""

    @pytest.fixture(autouse=True)
    def wired(self, receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        with mock_aws():
            made = boto3.client("secretsmanager").create_secret(Name="hook", SecretString=KEY)
            self.sqs = boto3.client("sqs")
            self.queue = self.sqs.create_queue(QueueName="hook")["QueueUrl"]
            for name, value in (("URL", f"{receiver.url}/hook"), ("SECRET_ARN", made["ARN"]),
                                ("QUEUE", self.queue)):  # fmt: skip
                monkeypatch.setenv(f"WEBHOOK_{name}", value)
            function.webhook_function.cache_clear()
            yield
        function.webhook_function.cache_clear()

    def run(self, text: str, attempt: int = 1) -> None:
        self.sqs.send_message(QueueUrl=self.queue, MessageBody=text)
        (message,) = self.sqs.receive_message(QueueUrl=self.queue)["Messages"]
        record = {"body": text, "receiptHandle": message["ReceiptHandle"],
                  "attributes": {"ApproximateReceiveCount": str(attempt)}}  # fmt: skip
        context: Any = CONTEXT
        function.handler({"Records": [record]}, context)

    def test_it_posts_what_a_receiver_can_verify(self, receiver: WebhookReceiver) -> None:
        self.run(envelope("hello"))
        (posted,) = receiver.posted
        assert posted.path == "/hook"
        at = datetime.fromtimestamp(int(posted.headers["webhook-timestamp"]), UTC)
        expected = headers_of(Webhook(posted.headers["webhook-id"], posted.body), [b"k" * 32], at)
        assert posted.headers["webhook-signature"] == expected["webhook-signature"]
        assert posted.headers["content-type"] == "application/json"

    def test_what_is_refused_stays_and_is_put_off(
        self,
        receiver: WebhookReceiver,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        receiver.answers = [(500, {})]
        asked: list[Any] = []
        client = function.webhook_function().sqs
        monkeypatch.setattr(
            client, "change_message_visibility", lambda **request: asked.append(request)
        )
        with pytest.raises(NotAccepted, match=r"answered 500 at attempt 3 .* in 300 s"):
            self.run(envelope("hello"), attempt=3)
        ((queue, _, seconds),) = (each.values() for each in asked)
        assert (queue, seconds) == (self.queue, 300)
        said = capsys.readouterr()
        for hidden in (KEY, KEY.removeprefix("whsec_"), "v1,", "hello"):
            assert hidden not in said.out + said.err

    def test_the_last_one_is_not_put_off(self, receiver: WebhookReceiver) -> None:
        receiver.answers = [(404, {})]
        with pytest.raises(NotAccepted, match="it goes to the dead letters"):
            self.run(envelope("hello"), attempt=len(WAITS) + 1)

    def test_what_sns_did_not_write_is_never_signed(self, receiver: WebhookReceiver) -> None:
        with pytest.raises(NoNotification):
            self.run("forged")
        assert receiver.posted == []
