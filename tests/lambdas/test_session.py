"""The clients of a function: made when an event first needs them, once for all threads."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from quota_enforcer.aws import clients
from quota_enforcer.lambdas.session import LazySession


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The services that clients were made for."""
    services: list[str] = []
    plain = boto3.Session.client

    def client(session: boto3.Session, service: Any, *arguments: Any, **options: Any) -> Any:
        services.append(service)
        return plain(session, service, *arguments, **options)

    monkeypatch.setattr(boto3.Session, "client", client)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    return services


def test_a_client_is_made_when_it_is_first_used_with_what_was_asked_for(made: list[str]) -> None:
    session = LazySession()
    used = session.client("dynamodb", config=clients.PROMPT)
    session.client("logs")
    assert made == []
    assert used.meta.region_name == "eu-west-1"
    assert used.meta.config.retries == {"mode": "standard", "total_max_attempts": 5}
    assert used.exceptions.ConditionalCheckFailedException
    assert made == ["dynamodb"]


def test_threads_that_use_it_at_once_share_one_client(made: list[str]) -> None:
    client = LazySession().client("sqs")
    with ThreadPoolExecutor(8) as pool:
        found = {id(meta) for meta in pool.map(lambda _: client.meta, range(8))}
    assert len(found) == 1
    assert made == ["sqs"]
