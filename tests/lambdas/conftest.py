"""What moto answers for a function; and clients, of which the functions make many."""

import os
from collections.abc import Iterator
from logging import LogRecord
from typing import Any

import boto3
import pytest

from kept_log import log_kept
from moto_spared import spare


@pytest.fixture(scope="session", autouse=True)
def _moto_is_spared() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        spare(patch)
        yield


@pytest.fixture
def kept_log() -> Iterator[list[LogRecord]]:
    """What is logged from now on."""
    with log_kept() as records:
        yield records


@pytest.fixture(scope="session")
def clients_once() -> Any:
    """Instead of `boto3.client`: the same client for all that ask alike in a Region."""
    make: Any = boto3.client
    known: dict[Any, Any] = {}

    def client(service: str, region_name: str | None = None, **more: Any) -> Any:
        region = region_name or os.environ["AWS_DEFAULT_REGION"]
        asked = service, region, *more.items()
        if asked not in known:
            known[asked] = make(service, region_name=region, **more)
        return known[asked]

    return client
