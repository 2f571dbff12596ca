"""Who is subscribed to a topic."""

from typing import TYPE_CHECKING, Final

from quota_enforcer.doctor.rules.notices import Listeners

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

_PENDING: Final = "PendingConfirmation"
"""Stands where a subscription has its ARN once it is confirmed."""


def listeners(client: "SNSClient", topic: str) -> Listeners:
    """Those who confirmed, and the addresses that have yet to."""
    pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    found = [each for page in pages for each in page["Subscriptions"]]
    pending = [each["Endpoint"] for each in found if each["SubscriptionArn"] == _PENDING]
    return Listeners(topic, len(found) - len(pending), tuple(sorted(pending)))
