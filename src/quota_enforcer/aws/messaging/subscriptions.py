"""Who is subscribed to the notice topic, and by e-mail to whose notices."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from quota_enforcer.core.notices.subscription import CannotSubscribe, Subscription, same
from quota_enforcer.doctor.rules.notices import Listeners

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

_EMAIL: Final = "email"

_UNCONFIRMED: Final = "PendingConfirmation"
"""What SNS lists in place of an ARN until an address confirms."""
_UNSUBSCRIBED: Final = "Deleted"
"""What it lists in place of an ARN after an address has unsubscribed."""

_READERS: Final = 8
"""Subscriptions looked at side by side."""


class SnsSubscriptions:
    """The subscriptions of one topic."""

    def __init__(self, client: "SNSClient", topic: str) -> None:
        self._client = client
        self._topic = topic

    def by_email(self) -> list[Subscription]:
        """Every address that is subscribed, with its filter."""
        return self._filtered(each for each in self._listed() if each[0] == _EMAIL)

    def find(self, email: str) -> Subscription | None:
        """This address's subscription, if it has one."""
        for listed in self._listed():
            if listed[0] == _EMAIL and same(listed[1], email):
                return self._looked_at(listed)
        return None

    def filters(self) -> int:
        """How many filter policies the topic has; those not confirmed yet are taken to have one."""
        listed = list(self._listed())
        return sum(not each.everything for each in self._filtered(listed))

    def count(self) -> int:
        """How many subscriptions the topic has, filtered or not; much cheaper than `filters`."""
        return sum(1 for _ in self._listed())

    def add(self, email: str, filter_policy: str) -> None:
        """Subscribe an address, which AWS asks to confirm. Raises CannotSubscribe at a limit."""
        try:
            self._client.subscribe(
                TopicArn=self._topic,
                Protocol=_EMAIL,
                Endpoint=email,
                Attributes={"FilterPolicy": filter_policy},
            )
        except self._client.exceptions.FilterPolicyLimitExceededException as error:
            raise _full(error) from error

    def change(self, subscription: Subscription, filter_policy: str) -> None:
        """Give a confirmed subscription another filter."""
        self._client.set_subscription_attributes(
            SubscriptionArn=subscription.id,
            AttributeName="FilterPolicy",
            AttributeValue=filter_policy,
        )

    def remove(self, subscription: Subscription) -> None:
        """End a confirmed subscription."""
        self._client.unsubscribe(SubscriptionArn=subscription.id)

    def _listed(self) -> Iterator[tuple[str, str, str]]:
        """Protocol, address and ARN of each."""
        pages = self._client.get_paginator("list_subscriptions_by_topic")
        for page in pages.paginate(TopicArn=self._topic):
            for each in page["Subscriptions"]:
                if each["SubscriptionArn"] != _UNSUBSCRIBED:
                    yield each["Protocol"], each["Endpoint"], each["SubscriptionArn"]

    def _filtered(self, listed: Iterable[tuple[str, str, str]]) -> list[Subscription]:
        with ThreadPoolExecutor(_READERS) as pool:
            return list(pool.map(self._looked_at, listed))

    def _looked_at(self, listed: tuple[str, str, str]) -> Subscription:
        _, address, arn = listed
        if arn == _UNCONFIRMED:
            return Subscription(address)
        answer = self._client.get_subscription_attributes(SubscriptionArn=arn)
        return Subscription(address, arn, answer["Attributes"].get("FilterPolicy", ""))


def _full(error: Exception) -> CannotSubscribe:
    return CannotSubscribe(
        f"AWS takes no further filter policy ({error}): have it raised in Service Quotas, or have "
        "several principals' notices sent to one address, which takes one filter for all of them"
    )


def listeners(client: "SNSClient", topic: str) -> Listeners:
    """Those who confirmed, and the addresses that have yet to."""
    pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    found = [each for page in pages for each in page["Subscriptions"]]
    pending = [each["Endpoint"] for each in found if each["SubscriptionArn"] == _UNCONFIRMED]
    return Listeners(topic, len(found) - len(pending), tuple(sorted(pending)))
