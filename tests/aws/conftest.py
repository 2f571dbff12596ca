"""Every AWS client here talks to moto, or to a stub that says what moto cannot."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from logging import LogRecord
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.stub import Stubber
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID, MockAWS
from moto.dynamodb.models import dynamodb_backends

from builders import LEDGER_TABLE, NOON, QUOTA_TABLE, UTC_ZONE
from fakes import FakeLedger
from kept_log import log_kept
from moto_spared import spare
from quota_enforcer.aws.dynamodb.ledger.ledger import DynamoLedger
from quota_enforcer.aws.dynamodb.ledger.schema import LEDGER_SCHEMA
from quota_enforcer.aws.dynamodb.quota_table import QUOTA_SCHEMA, DynamoQuotas
from quota_enforcer.enforce.ports.ledger import Ledger

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

EMPTY_TABLES: dict[str, Any] = {}
MakeLedger = Callable[[ZoneInfo], Ledger]


@pytest.fixture(scope="session", autouse=True)
def _moto_is_spared() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        spare(patch)
        yield


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """Its credentials are good nowhere."""
    return boto3.Session("testing", "testing", "testing", "us-east-1")


@pytest.fixture(scope="session")
def dynamodb_client(session: boto3.Session) -> "DynamoDBClient":
    """It signs nothing, since moto asks nobody who it is."""
    return session.client("dynamodb", config=Config(signature_version=UNSIGNED))


@pytest.fixture(scope="session")
def cloudwatch_client(session: boto3.Session) -> "CloudWatchClient":
    return session.client("cloudwatch")


@pytest.fixture(scope="session")
def iam_client(session: boto3.Session) -> "IAMClient":
    return session.client("iam")


@pytest.fixture(scope="session")
def sns_client(session: boto3.Session) -> "SNSClient":
    return session.client("sns")


@pytest.fixture(scope="session")
def sqs_client(session: boto3.Session) -> "SQSClient":
    return session.client("sqs")


@pytest.fixture(scope="module")
def moto() -> Iterator[MockAWS]:
    """Switched on once for a file, since that takes longer than most of its tests."""
    with mock_aws() as mocked:
        yield mocked


@pytest.fixture
def mocked_aws(moto: MockAWS) -> None:
    """An empty account of moto's; the clients of the session talk to it."""
    moto.reset()


@pytest.fixture
def dynamodb(mocked_aws: None, dynamodb_client: "DynamoDBClient") -> "DynamoDBClient":  # noqa: ARG001
    """Both tables, empty: made once, and copies of them, which takes a tenth of the time."""
    tables = dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].tables
    if EMPTY_TABLES:
        tables.update(deepcopy(EMPTY_TABLES))
        return dynamodb_client
    for name, schema in ((LEDGER_TABLE, LEDGER_SCHEMA), (QUOTA_TABLE, QUOTA_SCHEMA)):
        dynamodb_client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **schema)
    EMPTY_TABLES.update(deepcopy(tables))
    return dynamodb_client


@pytest.fixture
def make_ledger(dynamodb: "DynamoDBClient") -> Callable[[ZoneInfo], DynamoLedger]:
    """Makes the ledger of a time zone, at noon; all that one test makes share one table."""
    return lambda zone: DynamoLedger(dynamodb, LEDGER_TABLE, zone, now=lambda: NOON)


@pytest.fixture
def ledger(make_ledger: Callable[[ZoneInfo], DynamoLedger]) -> DynamoLedger:
    """An empty ledger in UTC."""
    return make_ledger(UTC_ZONE)


@pytest.fixture(params=["fake", "dynamodb"])
def make_either_ledger(request: pytest.FixtureRequest) -> MakeLedger:
    """Makes a ledger of a time zone; all that one test makes share one table."""
    if request.param == "fake":
        return FakeLedger
    made: MakeLedger = request.getfixturevalue("make_ledger")
    return made


@pytest.fixture
def either_ledger(make_either_ledger: MakeLedger) -> Ledger:
    """An empty ledger in UTC, once the adapter and once the fake that other tests rest on."""
    return make_either_ledger(UTC_ZONE)


@pytest.fixture
def quotas(dynamodb: "DynamoDBClient") -> DynamoQuotas:
    """An empty quota table."""
    return DynamoQuotas(dynamodb, QUOTA_TABLE)


@pytest.fixture
def kept_log() -> Iterator[list[LogRecord]]:
    """What is logged from now on."""
    with log_kept() as records:
        yield records


@pytest.fixture
def stub(session: boto3.Session) -> Iterator[Callable[[str], tuple[Any, Stubber]]]:
    """Makes a client that gives just the answers its stub was told to, in that order."""
    stubs: list[Stubber] = []

    def make(service: str) -> tuple[Any, Stubber]:
        client: Any = session.client(service)  # type: ignore[call-overload]
        stubs.append(Stubber(client))
        stubs[-1].activate()
        return client, stubs[-1]

    yield make
    for each in stubs:
        each.assert_no_pending_responses()
