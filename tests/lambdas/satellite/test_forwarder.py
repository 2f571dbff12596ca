"""The forwarder of a satellite hands batches over, or leaves pointers without what they hold."""

import base64
import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from quota_enforcer.lambdas.satellite.forwarder import RETRIES_TAKE, HomeUnreached, handler
from satellite_home import HOME_STACK_ID, FakeHome

PROMPT = "the secret recipe"
STREAM = "aws/bedrock/modelinvocations"
Waiting = Callable[[], list[dict[str, Any]]]


def a_batch(*moments: float, kind: str = "DATA_MESSAGE") -> dict[str, Any]:
    batch = {
        "messageType": kind,
        "owner": "444455556666",
        "logGroup": "/inv",
        "logStream": STREAM,
        "logEvents": [
            {"id": str(number), "timestamp": int(at * 1000), "message": PROMPT}
            for number, at in enumerate(moments)
        ],
    }
    data = base64.b64encode(gzip.compress(json.dumps(batch).encode())).decode()
    return {"awslogs": {"data": data}}


@pytest.fixture
def waiting(home: FakeHome, monkeypatch: pytest.MonkeyPatch) -> Waiting:  # noqa: ARG001 - AWS of moto
    """What the satellite's queue holds."""
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="undelivered")["QueueUrl"]
    monkeypatch.setenv("UNDELIVERED", url)

    def waiting() -> list[dict[str, Any]]:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(each["Body"]) for each in found]

    return waiting


def test_a_batch_is_handed_over_as_it_came_with_homes_id_and_the_version(
    home: FakeHome, waiting: Waiting
) -> None:
    event = a_batch(time.time())
    assert handler(event, None) == {"status": 200}
    assert home.asked == [{"home": HOME_STACK_ID, "version": 1, **event}]
    assert waiting() == []


def test_it_is_signed_for_a_function_url_in_homes_region(home: FakeHome) -> None:
    handler(a_batch(time.time()), None)
    [headers] = home.headers
    assert "/us-east-1/lambda/aws4_request" in headers["authorization"]
    assert headers["x-amz-security-token"] == "testing"
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [403, 404, 408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_raised_so_that_lambda_delivers_it_again(
    home: FakeHome, waiting: Waiting, status: int
) -> None:
    home.statuses = [status]
    with pytest.raises(HomeUnreached, match=str(status)):
        handler(a_batch(time.time()), None)
    assert waiting() == []


@pytest.mark.parametrize("status", [403, 429, 502])
def test_once_no_retry_comes_any_more_a_pointer_stays(
    home: FakeHome, waiting: Waiting, status: int
) -> None:
    home.statuses = [status]
    assert handler(a_batch(time.time() - RETRIES_TAKE - 1), None)["status"] == status
    [pointer] = waiting()
    assert str(status) in pointer["reason"]


def test_lambdas_last_retry_is_after_that_and_those_before_are_not() -> None:
    """One minute after the first attempt, and two more; a delivery takes seconds to arrive."""
    assert 60 + 60 < RETRIES_TAKE < 60 + 120


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_what_home_refuses_leaves_a_pointer_at_once(
    home: FakeHome, waiting: Waiting, status: int
) -> None:
    home.statuses, home.words = [status], '{"refused": "another home"}'
    handler(a_batch(time.time()), None)
    [pointer] = waiting()
    assert pointer["reason"] == f'home answered {status}: {{"refused": "another home"}}'


def test_a_pointer_names_quarters_of_hours_the_group_and_the_stream(
    home: FakeHome, waiting: Waiting
) -> None:
    """In a zone of half or quarter hours, an hour of UTC would be two of home's."""
    home.statuses = [400]
    first = 1_795_000_000.0
    handler(a_batch(first, first + 60, first + 3600), None)
    [pointer] = waiting()
    assert pointer["hours"] == ["2026-11-18T11:00:00Z", "2026-11-18T12:00:00Z"]
    assert (pointer["log_group"], pointer["log_stream"]) == ("/inv", STREAM)


@pytest.mark.parametrize("status", [400, 502])
def test_nothing_of_a_record_is_in_the_queue_the_log_or_an_error(
    home: FakeHome, waiting: Waiting, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    home.statuses = [status, status]
    handler(a_batch(time.time() - 3600), None)
    told = ""
    try:
        handler(a_batch(time.time()), None)
    except HomeUnreached as error:
        told = repr(error)
    seen = f"{waiting()}{capsys.readouterr().out}{told}"
    assert "home answered" in seen
    assert PROMPT not in seen


def test_a_home_that_is_not_there_is_told_by_the_error_alone(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME_URL", "http://127.0.0.1:9/")
    with pytest.raises(HomeUnreached, match="not reached: EndpointConnectionError"):
        handler(a_batch(time.time()), None)
    handler(a_batch(time.time() - 3600), None)
    assert len(waiting()) == 1


def test_cloudwatchs_own_test_leaves_no_pointer(home: FakeHome, waiting: Waiting) -> None:
    home.statuses = [400]
    assert handler(a_batch(kind="CONTROL_MESSAGE"), None)["kept"] == 0
    assert waiting() == []
