"""Cost and Usage Reports as AWS delivers them, of calls that are known."""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from world import ACCOUNT

SONNET = "anthropic.claude-sonnet-4-6"
NOVA = "amazon.nova-pro-v1:0"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
CI = f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/run-1"
ANN = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/Ann@example.com"

Row = dict[str, Any]


def claude(measure: str = "input_tokens_standard", **but: Any) -> Row:
    """A row of the Marketplace's: its product code says nothing, and its name has the model."""
    product = {
        "product_name": "Claude Sonnet 4.6 (Amazon Bedrock Edition)",
        "servicename": "Claude Sonnet 4.6 (Amazon Bedrock Edition)",
        "region": "us-east-1",
    }
    its_own = {
        "line_item_product_code": "7zgyu5r4abcdefghijklmnopq",
        "line_item_usage_type": f"USE1-MP:USE1_{measure}-Units",
        "pricing_unit": "Units",
        "product": product,
        "product_region_code": "",
    }
    return row(**{**its_own, **but})


def nova(measure: str = "input-tokens", **but: Any) -> Row:
    """A row of AWS's own models."""
    return row(**{"line_item_usage_type": f"USE1-NovaPro-{measure}", **but})


def row(**but: Any) -> Row:
    """One row of CUR 2.0, with the columns that matter here."""
    return {
        "identity_line_item_id": "abc",
        "bill_invoice_id": "1234567",
        "bill_payer_account_id": ACCOUNT,
        "line_item_usage_account_id": ACCOUNT,
        "line_item_line_item_type": "Usage",
        "line_item_usage_start_date": "2026-11-03T10:00:00.000Z",
        "line_item_product_code": "AmazonBedrock",
        "line_item_usage_type": "USE1-NovaPro-input-tokens",
        "line_item_operation": "InvokeModelInference",
        "line_item_iam_principal": ALICE,
        "line_item_usage_amount": "1000",
        "line_item_unblended_cost": "1",
        "line_item_currency_code": "USD",
        "pricing_unit": "1K tokens",
        "product": {"region": "us-east-1"},
        "product_product_family": "Amazon Bedrock",
        "product_region_code": "us-east-1",
        **but,
    }


def storage(**but: Any) -> Row:
    """A row of another service."""
    its_own = {
        "line_item_product_code": "AmazonS3",
        "line_item_usage_type": "USE1-TimedStorage-ByteHrs",
        "line_item_operation": "StandardStorage",
        "line_item_iam_principal": "",
        "product": {},
        "product_product_family": "Storage",
    }
    return row(**{**its_own, **but})


def as_csv(rows: Iterable[Row], without: Iterable[str] = ()) -> str:
    """A CSV file: maps are JSON."""
    written = io.StringIO()
    several = list(rows)
    names = [name for name in several[0] if name not in set(without)]
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(names)
    for each in several:
        writer.writerow([_cell(each[name]) for name in names])
    return written.getvalue()


def _cell(value: Any) -> str:
    return json.dumps(value) if isinstance(value, Mapping) else str(value)


def legacy_name(name: str) -> str:
    """`lineItem/UsageType` of `line_item_usage_type`."""
    for section in ("line_item", "product", "bill", "pricing", "identity"):
        if name.startswith(f"{section}_"):
            words = name.removeprefix(f"{section}_").split("_")
            first, *more = section.split("_")
            group = first + "".join(map(str.capitalize, more))
            column = "".join(map(str.capitalize, words))
            return f"{group}/{column if group != 'product' else column[0].lower() + column[1:]}"
    return name


@dataclass
class Export:
    """An export in a folder, as a deployment's billing delivers it."""

    folder: Path
    rows: list[Row] = field(default_factory=list)

    def add(self, *rows: Row) -> "Export":
        self.rows += rows
        return self

    def csv(self, name: str = "bill.csv", without: Iterable[str] = ()) -> str:
        return self._written(name, as_csv(self.rows, without).encode())

    def gzip(self, name: str = "bill-00001.csv.gz") -> str:
        return self._written(name, gzip.compress(as_csv(self.rows).encode()))

    def legacy(self, name: str = "old.csv") -> str:
        """A report of the older kind, whose products are columns and whose callers are not told."""
        flat = [
            {
                **{name: value for name, value in each.items() if name != "product"},
                "product_product_name": each["product"].get("product_name", ""),
            }
            for each in self.rows
        ]
        lines = as_csv(flat, ["line_item_iam_principal"]).split("\n", 1)
        head = ",".join(map(legacy_name, lines[0].split(",")))
        return self._written(name, f"{head}\n{lines[1]}".encode())

    def parquet(self, name: str = "bill-00001.snappy.parquet") -> str:
        """With the types that AWS gives: timestamps, doubles and maps of texts."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        types = {
            "line_item_usage_start_date": "TIMESTAMP",
            "line_item_usage_amount": "DOUBLE",
            "line_item_unblended_cost": "DOUBLE",
            "line_item_net_unblended_cost": "DOUBLE",
            "product": "MAP(VARCHAR, VARCHAR)",
        }
        names = list(self.rows[0])
        columns = ", ".join(f"{each} {types.get(each, 'VARCHAR')}" for each in names)
        with duckdb.connect(":memory:") as connection:
            connection.execute(f"CREATE TEMP TABLE bill ({columns})")
            places = ", ".join("?" for _ in names)
            rows = ", ".join(f"({places})" for _ in self.rows)  # at once: each statement takes long
            values = [_typed(each, line[each]) for line in self.rows for each in names]
            connection.execute(f"INSERT INTO bill VALUES {rows}", values)  # noqa: S608 - its own
            connection.execute(f"COPY bill TO '{file}' (FORMAT parquet)")
        return str(file)

    def _written(self, name: str, content: bytes) -> str:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return str(file)


def _typed(name: str, value: Any) -> Any:
    if name.endswith("_start_date"):
        return datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)
    return value
