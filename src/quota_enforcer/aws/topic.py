"""Notices over SNS, with attributes that a subscription's filter policy can select by."""

from typing import TYPE_CHECKING

from quota_enforcer.core.notice import Notice
from quota_enforcer.core.wording import Message

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef


class SnsTopic:
    """The `Topic`: publishes to one ARN."""

    def __init__(self, client: "SNSClient", arn: str) -> None:
        self._client = client
        self._arn = arn

    def publish(self, notice: Notice, message: Message) -> None:
        """Send one notice; filter on `principal`, `kind` and `quota`.

        https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering.html
        """
        self._client.publish(
            TopicArn=self._arn,
            Subject=message.subject,
            Message=message.body,
            MessageAttributes={
                name: _text(value)
                for name, value in (
                    ("principal", notice.principal),
                    ("kind", str(notice.kind)),
                    ("quota", notice.quota),
                )
                # SNS refuses an empty attribute: a notice of the whole deployment has none.
                if value
            },
        )


def _text(value: str) -> "MessageAttributeValueTypeDef":
    return {"DataType": "String", "StringValue": value}
