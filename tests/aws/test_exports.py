"""Billing exports in S3: which objects are one, and that they arrive whole."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from bill_export import NOVA, Export, nova, storage
from builders import NOON
from cli_world import a_shell
from quota_enforcer.aws.account.exports import S3Exports
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket
from world import principal

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "billing"
PERIOD = "cur/bedrock/data/BILLING_PERIOD=2026-11"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator["S3Client"]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield client


def test_a_prefix_is_a_folder_or_one_object(s3: "S3Client", tmp_path: Path) -> None:
    for key in ("cur/a.csv", "cur/b/c.csv", "cure/d.csv"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    exports = S3Exports(s3)
    assert exports.names(BUCKET, "cur") == ["cur/a.csv", "cur/b/c.csv"]
    assert exports.names(BUCKET, "cur/b/c.csv") == ["cur/b/c.csv"]
    assert exports.names(BUCKET, "") == ["cur/a.csv", "cur/b/c.csv", "cure/d.csv"]
    exports.fetch(BUCKET, "cur/b/c.csv", tmp_path / "here")
    assert (tmp_path / "here").read_bytes() == b"cur/b/c.csv"


def test_an_export_in_a_bucket_is_reconciled(
    s3: "S3Client", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = a_shell(monkeypatch)
    alice, day = principal("user/alice"), NOON.replace(day=3)
    used = Counts(1, 1_000_000, cost_usd=Decimal(1))
    shell.world.ledger.add(Bucket(alice, NOVA, day.date()), day, used)
    shell.world.ledger.put(Record(alice, version=1, due=NOON))
    rows = nova(), storage(line_item_usage_start_date="2026-11-20T00:00:00Z")
    file = Export(tmp_path).add(*rows).parquet()
    s3.upload_file(file, BUCKET, f"{PERIOD}/bedrock-00001.snappy.parquet")
    s3.put_object(Bucket=BUCKET, Key="cur/bedrock/metadata/bedrock-Manifest.json", Body=b"{}")
    result = shell.run("bill", "reconcile", f"s3://{BUCKET}/cur/bedrock", "--by", "day")
    assert result.exit_code == 0, result.output
    assert f"Fetching 1 of 1: s3://{BUCKET}/{PERIOD}/bedrock-00001" in result.stderr
    assert "They agree: off by $0.00 of $1.00" in result.stdout


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        (f"s3://{BUCKET}/nothing", 2, "holds no report"),
        ("s3://no-such-bucket/cur", 1, "NoSuchBucket"),
    ],
)
def test_what_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, source: str, code: int, words: str
) -> None:
    result = a_shell(monkeypatch).run("bill", "reconcile", source)
    assert result.exit_code == code
    assert words in result.stderr
