"""Notices over SNS, with attributes that a subscription's filter policy can select by.

E-mail gets the text. What is subscribed over https gets the form for chat, since Amazon Q Developer
in chat applications subscribes so and takes nothing else. The attribute `event` is for machines:
it comes with any form.
https://docs.aws.amazon.com/sns/latest/api/API_Publish.html (MessageStructure)
"""

import json
from typing import TYPE_CHECKING

from quota_enforcer.core.notices.chat import custom_notification
from quota_enforcer.core.notices.event import notice_event
from quota_enforcer.core.notices.message import Message
from quota_enforcer.core.notices.notice import Notice

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef


class SnsTopic:
    """The `Topic`: publishes to one ARN."""

    def __init__(self, client: "SNSClient", arn: str) -> None:
        self._client = client
        self._arn = arn

    def publish(self, notice: Notice, message: Message) -> None:
        """Send one notice; filter on `principal`, `kind`, `quota` and `audience`.

        https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering.html
        """
        self._client.publish(
            TopicArn=self._arn,
            Subject=message.subject,
            Message=json.dumps(
                {"default": message.body, "https": custom_notification(notice, message)},
                ensure_ascii=False,
            ),
            MessageStructure="json",
            MessageAttributes={
                name: _text(value)
                for name, value in (
                    ("principal", notice.principal),
                    ("kind", str(notice.kind)),
                    ("quota", notice.quota),
                    ("audience", notice.kind.audience),
                    ("event", notice_event(notice, message)),
                )
                # SNS refuses an empty attribute: a notice of the whole deployment has none.
                if value
            },
        )


def _text(value: str) -> "MessageAttributeValueTypeDef":
    return {"DataType": "String", "StringValue": value}
