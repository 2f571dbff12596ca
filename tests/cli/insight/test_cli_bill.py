"""`bill reconcile`: an export of known answers laid beside a ledger."""

import csv
import io
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from bill_export import ALICE, ANN, CI, NOVA, SONNET, Export, claude, nova, row, storage
from builders import NOON
from cli_world import Shell, a_shell
from quota_enforcer.cli.insight.bill.reader import read_files
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket
from world import ACCOUNT

DAY = datetime(2026, 11, 3, 10, tzinfo=UTC)
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "bill.md"
FORMATS = ("csv", "gzip", "parquet")


@pytest.fixture(scope="module", autouse=True)
def _one_database() -> Iterator[None]:
    """Each connection is a session of one database: to start one takes longer than to read a bill.

    Tables of a reader are temporary, so no session sees those of another.
    """
    with pytest.MonkeyPatch.context() as patch, duckdb.connect(":memory:") as database:
        patch.setattr(duckdb, "connect", lambda _: database.cursor())
        yield


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    return a_shell(monkeypatch)


@pytest.fixture
def export(tmp_path: Path) -> Export:
    return Export(tmp_path / "export")


def metered(  # noqa: PLR0913 - one for each thing that a bucket says
    shell: Shell,
    who: str,
    usd: str,
    model: str = NOVA,
    tokens: int = 1_000_000,
    *,
    at: datetime = DAY,
    place: str = "",
) -> None:
    """What the ledger has of somebody."""
    principal = Principal.parse(who)
    day = at.astimezone(shell.world.settings.zone).date()
    bucket = Bucket(principal, model, day, place)
    shell.world.ledger.add(bucket, at, Counts(1, tokens, cost_usd=Decimal(usd)))
    if principal not in {each.principal for each in shell.world.ledger.everybody()}:
        shell.world.ledger.put(Record(principal, version=1, due=NOON))


def settled(export: Export) -> None:
    """The bill goes on for days, so that what came before is whole."""
    export.add(storage(line_item_usage_start_date="2026-11-20T00:00:00Z"))


def reconciled(shell: Shell, *args: str, code: int = 0) -> Any:
    result = shell.run("bill", "reconcile", *args, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize("written", FORMATS)
def test_what_both_have_agrees_to_the_last_place(
    shell: Shell, export: Export, written: str
) -> None:
    metered(shell, "user/alice", "0.3000000001")
    metered(shell, "role/ci", "2.5", SONNET, 2_000_000)
    metered(shell, "sso/ann@example.com", "7", SONNET)
    export.add(
        nova(line_item_unblended_cost="0.1"),
        nova(line_item_unblended_cost="0.2000000001", line_item_usage_amount="0"),
        claude(line_item_iam_principal=CI, line_item_unblended_cost="1.5",
               line_item_usage_amount="1.5"),
        claude("output_tokens_standard", line_item_iam_principal=f"{CI}00",
               line_item_unblended_cost="1", line_item_usage_amount="0.5"),
        claude("CacheReadInputTokenCount", line_item_iam_principal=ANN,
               line_item_unblended_cost="7", line_item_usage_amount="1"),
        storage(line_item_unblended_cost="99"),
    )  # fmt: skip
    settled(export)
    found = reconciled(shell, getattr(export, written)())
    rows = {(each["principal"], each["model"]): each for each in found["rows"]}
    assert {key: (each["metered_usd"], each["billed_usd"]) for key, each in rows.items()} == {
        ("user/alice", NOVA): ("0.3000000001", "0.3000000001"),
        ("role/ci", SONNET): ("2.5", "2.5"),
        ("sso/ann@example.com", SONNET): ("7", "7"),
    }
    assert {each["what"] for each in found["rows"]} == {"agrees"}
    assert rows["role/ci", SONNET]["billed_tokens"] == "2000000"
    assert found["verdict"]["agrees"]
    assert found["bill"]["rows"] == 7


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (row(line_item_usage_type="USE1-anthropic.claude-sonnet-4-6-mantle-input-tokens-standard"),
         "mantle"),
        (nova("input-tokens-batch"), "batch"),
        (claude("InputTokenCount_Batch"), "batch"),
        (nova(product={"feature": "Batch Inference", "model": "Nova Pro"}), "batch"),
        (row(line_item_usage_type="USE1-NovaPro-ProvisionedThroughput-6MonthCommit-ModelUnits"),
         "provisioned"),
        (claude("Reserved_1Month_InputTPM_Geo"), "provisioned"),
        (claude("g5.12xlarge_Hours"), "endpoint"),
        (row(line_item_usage_type="USE1-NovaPro-Customization-Training"), "custom"),
        (nova("input-tokens-priority"), "tier"),
        (nova(product_region_code="eu-west-1"), "region"),
        (nova(product_region_code="", product={}, line_item_usage_type="EUW1-NovaPro-input-tokens"),
         "region"),
        (nova(line_item_usage_account_id="444455556666"), "account"),
        (nova(line_item_iam_principal=CI), "unseen"),
        (row(line_item_usage_type="USE1-FrobnicateXl-input-tokens"), "unknown"),
        (nova(line_item_usage_start_date="2026-11-01T00:00:00Z"), "before"),
        (row(line_item_usage_type="USE1-Guardrail-ContentPolicyUnitsConsumed"), "service"),
        (row(line_item_product_code="AmazonBedrockAgentCore",
             line_item_usage_type="USE1-Runtime:vCPU-Hours"), "service"),
    ],
)  # fmt: skip
def test_what_was_never_metered_has_its_reason(
    shell: Shell, export: Export, line: dict[str, Any], reason: str
) -> None:
    metered(shell, "user/bob", "5")
    export.add(nova(line_item_iam_principal=ALICE.replace("alice", "bob"),
                    line_item_unblended_cost="5"), line)  # fmt: skip
    settled(export)
    counts = reason not in {"before", "service"}
    found = reconciled(shell, export.csv(), code=1 if counts else 0)
    assert [(each["reason"], each["usd"], each["counts"]) for each in found["never_metered"]] == [
        (reason, "1", counts)
    ]
    if counts:
        assert reconciled(shell, export.csv(), "--except", reason)["verdict"]["agrees"]


def test_the_newest_days_may_still_be_billed(shell: Shell, export: Export) -> None:
    metered(shell, "user/alice", "1", at=DAY)
    metered(shell, "user/alice", "2", at=DAY.replace(day=19))
    metered(shell, "user/alice", "4", at=DAY.replace(day=20))
    export.add(
        nova(),
        nova(line_item_usage_start_date="2026-11-19T00:00:00Z", line_item_unblended_cost="0.5"),
    )
    settled(export)
    found = reconciled(shell, export.csv(), "--by", "day")
    assert [(each["day"], each["metered_usd"], each["pending_usd"]) for each in found["rows"]] == [
        ("2026-11-03", "1", "0"), ("2026-11-19", "0.5", "1.5"), ("2026-11-20", "0", "4"),
    ]  # fmt: skip


def test_what_is_old_enough_and_not_on_the_bill_speaks_against_it(
    shell: Shell, export: Export
) -> None:
    metered(shell, "user/alice", "1")
    metered(shell, "user/bob", "3")
    export.add(nova())
    settled(export)
    found = reconciled(shell, export.csv(), code=1)
    assert found["total"]["unbilled_usd"] == "3"
    assert found["verdict"]["off_usd"] == "3"


def test_one_discount_explains_all_models_of_a_vendor(shell: Shell, export: Export) -> None:
    haiku = "anthropic.claude-haiku-4-5-20251001-v1:0"
    metered(shell, "user/alice", "10", SONNET)
    metered(shell, "user/alice", "20", haiku)
    metered(shell, "user/alice", "1")
    export.add(
        claude(line_item_unblended_cost="8.8"),
        claude(line_item_unblended_cost="17.6",
               product={"product_name": "Claude Haiku 4.5 (Amazon Bedrock Edition)"}),
        nova(),
    )  # fmt: skip
    settled(export)
    found = reconciled(shell, export.csv(), code=1)
    [discount] = found["discounts"]
    assert discount["command"] == ("quota-enforcer prices discount anthropic 12% --from 2026-11-03")
    assert (discount["difference_usd"], discount["then_usd"]) == ("-3.6", "0")
    assert shell.run(*discount["command"].split()[1:]).exit_code == 0


def test_a_discount_that_holds_already_is_taken_into_account(shell: Shell, export: Export) -> None:
    shell.out("prices", "discount", "amazon", "10%")
    metered(shell, "user/alice", "9")
    export.add(nova(line_item_unblended_cost="8"))
    settled(export)
    [discount] = reconciled(shell, export.csv(), code=1)["discounts"]
    assert (discount["of"], discount["percent"]) == (NOVA, "20")


def test_no_discount_hides_a_difference_that_is_not_the_same_every_day(
    shell: Shell, export: Export
) -> None:
    metered(shell, "user/alice", "10")
    metered(shell, "user/alice", "10", at=DAY.replace(day=4))
    export.add(
        nova(line_item_unblended_cost="8"),
        nova(line_item_unblended_cost="9", line_item_usage_start_date="2026-11-04T00:00:00Z"),
    )
    settled(export)
    found = reconciled(shell, export.csv(), code=1)
    assert found["discounts"] == []
    assert found["rows"][0]["what"] == "billed 15.0 % less for the same tokens"


def test_net_costs_are_compared_where_there_are_any(shell: Shell, export: Export) -> None:
    metered(shell, "user/alice", "1")
    net = "line_item_net_unblended_cost"
    export.add(
        nova(line_item_net_unblended_cost="0.9"),
        nova(line_item_line_item_type="EdpDiscount", line_item_unblended_cost="-0.1", **{net: ""}),
    )
    export.add(storage(line_item_usage_start_date="2026-11-20T00:00:00Z", **{net: ""}))
    found = reconciled(shell, export.csv(), code=1)
    assert (found["total"]["billed_usd"], found["beside_usd"]) == ("0.9", {"discount": "0"})
    before = reconciled(shell, export.csv(), "--before-discounts")
    assert (before["total"]["billed_usd"], before["beside_usd"]) == ("1", {"discount": "-0.1"})
    [discount] = before["discounts"]
    assert discount["percent"] == "10"


@pytest.mark.parametrize("written", FORMATS)
def test_python_sees_one_sum_of_a_role_however_many_sessions_it_has(
    export: Export, written: str
) -> None:
    runs = (f"{CI}-{number}" for number in range(100))
    export.add(*(nova(line_item_iam_principal=run) for run in runs))
    export.add(*(storage() for _ in range(100)))
    reader = read_files([(Path(getattr(export, written)()), "bill")], net=True)
    [line] = reader.lines()
    assert (line.principal, line.rows) == (CI.replace("run-1", "-"), 100)
    assert line.cost == 100
    assert reader.facts().rows == 200
    reader.close()


def test_taxes_credits_and_refunds_stand_beside_usage(shell: Shell, export: Export) -> None:
    metered(shell, "user/alice", "1")
    export.add(
        nova(),
        nova(line_item_line_item_type="Tax", line_item_unblended_cost="0.19",
             line_item_iam_principal="", line_item_usage_amount=""),
        nova(line_item_line_item_type="Credit", line_item_unblended_cost="-3"),
        nova(line_item_line_item_type="Refund", line_item_unblended_cost="-1"),
        nova(line_item_line_item_type="RIFee", line_item_unblended_cost="7"),
    )  # fmt: skip
    settled(export)
    found = reconciled(shell, export.csv())
    assert found["beside_usd"] == {"tax": "0.19", "credit": "-3", "refund": "-1", "fee": "7"}


def test_rows_that_cannot_be_read_are_said_and_nobody_knows(shell: Shell, export: Export) -> None:
    metered(shell, "user/alice", "1")
    export.add(
        nova(),
        nova(line_item_usage_start_date="yesterday"),
        nova(line_item_unblended_cost="much"),
        nova(line_item_unblended_cost=""),
        nova(line_item_currency_code="CNY"),
        storage(line_item_unblended_cost="not ours"),
    )
    file = Path(export.csv())
    file.write_text(f"{file.read_text()}a,row,too,short\n")
    result = shell.run("bill", "reconcile", str(file))
    assert result.exit_code == 1
    assert "Nobody knows whether they agree: 5 rows could not be read." in result.stdout
    for words in ("line 8 of", "no day in line_item_usage_start_date: 'yesterday USD 1'",
                  "2 rows could not be read: no number in line_item_unblended_cost",
                  "not in US dollars"):  # fmt: skip
        assert words in result.stderr


def test_without_callers_models_are_compared(shell: Shell, export: Export) -> None:
    metered(shell, "user/alice", "1")
    metered(shell, "user/bob", "2")
    export.add(nova(line_item_unblended_cost="3"))
    settled(export)
    file = export.csv(without=["line_item_iam_principal"])
    result = shell.run("bill", "reconcile", file, "--csv")
    assert result.exit_code == 0, result.output
    [head, line] = csv.reader(io.StringIO(result.stdout))
    assert head[:3] == ["model", "metered_usd", "billed_usd"]
    assert line[:3] == [NOVA, "3", "3"]
    refused = shell.run("bill", "reconcile", file, "--by", "principal")
    assert refused.exit_code == 2
    assert "line_item_iam_principal" in refused.output
    assert "INCLUDE_IAM_PRINCIPAL_DATA" in refused.output


def test_the_older_report_is_read_too(shell: Shell, export: Export) -> None:
    metered(shell, "user/alice", "1.5", SONNET)
    export.add(claude(line_item_unblended_cost="1.5"))
    settled(export)
    result = shell.run("bill", "reconcile", export.legacy())
    assert result.exit_code == 0, result.output
    assert "report of the older kind" in result.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"BilledCost,ChargePeriodStart\n1,2026-11-01\n", "FOCUS"),
        (b"Service,Total\nBedrock,1\n", "no Cost and Usage Report"),
        (b"", "no header line"),
        (b"PK\x03\x04zip", "zip file"),
        (b"PAR1 but not really", "cannot be read"),
        (b"\x1f\x8bnot gzip at all", "that is whole"),
        (b"\xff\xfea\x00", "that is whole"),
        (b"a,a\n1,2\n", "'a' twice"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_what_to_give(
    shell: Shell, tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "bill.csv"
    file.write_bytes(content)
    result = shell.run("bill", "reconcile", str(file))
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    "column", ["line_item_usage_account_id", "line_item_unblended_cost", "product"]
)
def test_a_column_that_is_missing_is_named(shell: Shell, export: Export, column: str) -> None:
    export.add(nova())
    result = shell.run("bill", "reconcile", export.csv(without=[column]))
    assert result.exit_code == 2
    assert f"no column {column}" in " ".join(result.stderr.split())
    assert "Column selection" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("nowhere.csv",), "there is no file or folder"),
        (("s3://",), "names no bucket"),
        (("FILE", "--by", "team"), "'team' is none of day"),
        (("FILE", "--tolerance", "lots"), "no percentage"),
        (("FILE", "--tolerance", "101%"), "no percentage"),
        (("FILE", "--except", "rain"), "'rain' is none of mantle"),
        (("FILE", "--from", "2026-11-05", "--to", "2026-11-01"), "is before --from"),
        (("FILE", "--csv", "--json"), "either --csv or --json"),
    ],
)
def test_wrong_usage_ends_with_2(
    shell: Shell, export: Export, args: tuple[str, ...], words: str
) -> None:
    file = export.add(nova()).csv()
    result = shell.run("bill", "reconcile", *(file if each == "FILE" else each for each in args))
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())


def test_a_folder_is_one_export_and_only_its_newest_refresh(shell: Shell, export: Export) -> None:
    metered(shell, "user/alice", "2")
    metered(shell, "user/alice", "4", at=datetime(2026, 10, 3, tzinfo=UTC))
    export.add(nova(line_item_unblended_cost="2"))
    period = "data/BILLING_PERIOD=2026-11"
    export.gzip(f"{period}/2026-11-19T13:14:37.728Z-8c5a76cc-57d0/bill-00001.csv.gz")
    settled(export)
    export.gzip(f"{period}/2026-11-20T13:14:37.728Z-0c5a76cc-57d0/bill-00001.csv.gz")
    export.rows = [nova(line_item_unblended_cost="4",
                        line_item_usage_start_date="2026-10-03T00:00:00Z")]  # fmt: skip
    export.gzip("data/BILLING_PERIOD=2026-10/2026-11-02T13:14:37.728Z-1c5a/bill-00001.csv.gz")
    (export.folder / "metadata").mkdir()
    (export.folder / "metadata" / "bill-Manifest.json").write_text("{}")
    result = shell.run("bill", "reconcile", str(export.folder), "--json")
    assert result.exit_code == 0, result.output
    assert '"billed_usd": "6"' in result.stdout
    assert "1 file of earlier refreshes left out" in result.stderr


def test_a_folder_with_both_formats_is_refused(shell: Shell, export: Export) -> None:
    export.add(nova()).csv()
    export.parquet()
    result = shell.run("bill", "reconcile", str(export.folder))
    assert result.exit_code == 2
    assert "may be there twice" in " ".join(result.stderr.split())


def test_days_are_those_of_utc_whatever_the_zone_of_the_deployment(
    monkeypatch: pytest.MonkeyPatch, export: Export
) -> None:
    shell = a_shell(monkeypatch)
    object.__setattr__(shell.world.settings, "zone", ZoneInfo("Asia/Tokyo"))
    shell.world.ledger.zone = shell.world.settings.zone
    metered(shell, "user/alice", "1", at=datetime(2026, 11, 3, 20, tzinfo=UTC))  # the 4th in Tokyo
    export.add(nova())
    settled(export)
    found = reconciled(shell, export.csv(), "--by", "day")
    assert [(each["day"], each["what"]) for each in found["rows"]] == [("2026-11-03", "agrees")]


def test_other_accounts_and_regions_are_laid_beside_what_satellites_metered(
    shell: Shell, export: Export
) -> None:
    theirs = "444455556666"
    metered(shell, "user/alice", "1")
    metered(shell, "user/alice", "2", place=f"{ACCOUNT}/eu-west-1")
    metered(shell, f"{theirs}/role/ci", "4", place=f"{theirs}/us-east-1")
    member = {
        "line_item_usage_account_id": theirs,
        "line_item_iam_principal": CI.replace(ACCOUNT, theirs),
        "line_item_unblended_cost": "4",
    }
    export.add(
        nova(),
        nova(product_region_code="eu-west-1", line_item_unblended_cost="2"),
        nova(**member),
        nova(**{**member, "product_region_code": "ap-south-1"}),
    )
    settled(export)
    by = "--by", "account,region,principal"
    found = reconciled(shell, export.csv(), *by, code=1)
    rows = {tuple(each.values())[:3]: each["what"] for each in found["rows"]}
    assert rows == {
        (ACCOUNT, "us-east-1", "user/alice"): "agrees",
        (ACCOUNT, "eu-west-1", "user/alice"): "agrees",
        (theirs, "us-east-1", f"{theirs}/role/ci"): "agrees",
        (theirs, "ap-south-1", f"{theirs}/role/ci"): "$4.00 never metered: region",
    }
    alone = reconciled(shell, export.csv(), "--account", ACCOUNT)
    assert (alone["total"]["billed_usd"], alone["left_out_usd"]) == ("3", "8")
    assert reconciled(shell, export.csv(), "--billed-region", "eu-west-1")["left_out_usd"] == "9"


def test_a_person_reads_what_it_means(shell: Shell, export: Export) -> None:
    metered(shell, "user/alice", "10", SONNET)
    metered(shell, "user/bob", "1", at=DAY.replace(day=20))
    export.add(
        claude(line_item_unblended_cost="9", line_item_usage_amount="1", bill_invoice_id=""),
        nova("input-tokens-batch", line_item_unblended_cost="2", line_item_iam_principal=CI),
    )
    settled(export)
    result = shell.run("bill", "reconcile", export.parquet())
    assert result.exit_code == 1
    _, _, page = PAGE.read_text(encoding="utf-8").partition("$ quota-enforcer bill reconcile ")
    shown = page.partition("```")[0].splitlines()[1:]
    assert result.stdout.splitlines() == shown
    assert "1 row without an invoice" in result.stderr


def test_it_names_the_extra_that_is_missing(
    shell: Shell, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = export.add(nova()).csv()
    monkeypatch.setitem(sys.modules, "duckdb", None)
    result = shell.run("bill", "reconcile", file)
    assert result.exit_code == 1
    assert "reading a bill needs duckdb: pip install 'quota-enforcer[bill]'" in result.stderr
