"""Roles of other accounts are taken late, once, and again before they end."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from freezegun import freeze_time
from moto import mock_aws

from builders import NOON
from quota_enforcer.aws.account.assumed import assumed

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

ROLE = "arn:aws:iam::444455556666:role/bedrock-quota/quotas/quotas-satellite-reader-eu-west-1"


@pytest.fixture
def session() -> Iterator[boto3.Session]:
    with mock_aws():
        yield boto3.Session("testing", "testing", "testing", "us-east-1")


@pytest.fixture
def sts(session: boto3.Session) -> "STSClient":
    return session.client("sts")


@pytest.fixture
def taken(sts: "STSClient") -> list[dict[str, Any]]:
    """What STS is asked for."""
    asked: list[dict[str, Any]] = []
    sts.meta.events.register(
        "provide-client-params.sts.AssumeRole", lambda params, **_: asked.append(params)
    )
    return asked


def test_a_role_is_taken_with_the_external_id_at_the_first_call_and_kept_for_the_next(
    sts: "STSClient", taken: list[dict[str, Any]]
) -> None:
    there = assumed(sts, ROLE, "51af3dc0", "home-meter", "eu-west-1")
    client = there.client("sts")
    assert taken == []
    arn = client.get_caller_identity()["Arn"]
    assert (
        arn == "arn:aws:sts::444455556666:assumed-role/quotas-satellite-reader-eu-west-1/home-meter"
    )
    client.get_caller_identity()
    there.client("logs").describe_log_groups()
    assert taken == [{"RoleArn": ROLE, "RoleSessionName": "home-meter", "ExternalId": "51af3dc0"}]
    assert there.region_name == "eu-west-1"


def test_it_is_taken_again_before_it_ends(sts: "STSClient", taken: list[dict[str, Any]]) -> None:
    with freeze_time(NOON) as clock:
        client = assumed(sts, ROLE, "51af3dc0", "home-meter", "eu-west-1").client("sts")
        client.get_caller_identity()
        clock.tick(timedelta(minutes=50))
        client.get_caller_identity()
        assert len(taken) == 2


def test_a_role_that_may_not_be_taken_is_an_error_of_sts(sts: "STSClient") -> None:
    def refuse(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "AssumeRole")

    sts.meta.events.register("before-call.sts.AssumeRole", refuse)
    there = assumed(sts, ROLE, "51af3dc0", "home-meter", "eu-west-1").client("logs")
    with pytest.raises(ClientError, match="AccessDenied"):
        there.describe_log_groups()
