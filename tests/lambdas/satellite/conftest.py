"""A satellite's functions in eu-west-1, and their home on loopback."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from satellite_home import HOME_STACK_ID, FakeHome, a_home


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, clients_once: Any) -> Iterator[FakeHome]:
    monkeypatch.setattr(boto3, "client", clients_once)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.setenv(name, "eu-west-1")
    passed: Any = {"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1:.*"]}}}
    with a_home() as found, mock_aws(config=passed):
        monkeypatch.setenv("HOME_URL", found.url)
        monkeypatch.setenv("HOME_REGION", "us-east-1")
        monkeypatch.setenv("HOME_STACK_ID", HOME_STACK_ID)
        yield found
