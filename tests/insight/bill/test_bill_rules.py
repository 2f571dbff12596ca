"""What the columns of a bill mean, one by one."""

import pytest

from quota_enforcer.core.pricing.tier import Tier
from quota_enforcer.insight.bill.delivery import FileFormat, delivered
from quota_enforcer.insight.bill.line import Charged, LineKind, kind_of
from quota_enforcer.insight.bill.reasons import Reason, meaning, region_of
from quota_enforcer.insight.bill.who import billed_principal, metered_principal

HOME = "111122223333"
PERIOD = "cur/bill/data/BILLING_PERIOD=2026-11"
OTHER_PERIOD = "cur/bill/data/BILLING_PERIOD=2026-10"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Usage", LineKind.USAGE),
        ("DiscountedUsage", LineKind.USAGE),
        ("SavingsPlanCoveredUsage", LineKind.USAGE),
        ("EdpDiscount", LineKind.DISCOUNT),
        ("PrivateRateDiscount", LineKind.DISCOUNT),
        ("BundledDiscount", LineKind.DISCOUNT),
        ("Tax", LineKind.TAX),
        ("Credit", LineKind.CREDIT),
        ("Refund", LineKind.REFUND),
        ("RIFee", LineKind.FEE),
        ("SavingsPlanNegation", LineKind.FEE),
        ("", LineKind.FEE),
    ],
)
def test_the_kind_of_a_line(said: str, kind: LineKind) -> None:
    assert kind_of(said) is kind


@pytest.mark.parametrize(
    ("usage", "operation", "reason", "tier", "tokens"),
    [
        ("USE1-Claude4.6Sonnet-input-tokens", "InvokeModelInference", None, Tier.STANDARD, 1000),
        ("USE1-MP:USE1_CacheReadInputTokenCount_Global-Units", "", None, Tier.STANDARD, 1000),
        ("USE1-Nova2.0Lite-input-tokens-flex", "", None, Tier.FLEX, 1000),
        ("USE1-gpt-oss-120b-output-tokens-priority", "", None, Tier.PRIORITY, 1000),
        ("USE1-NovaCanvas-T2I-1024-Standard", "", None, Tier.STANDARD, None),
        ("USE1-openai.gpt-oss-120b-mantle-input-tokens-flex", "", Reason.MANTLE, Tier.FLEX, 1000),
        ("USE1-NovaPro-input-tokens", "InvokeModelBatch", Reason.BATCH, Tier.STANDARD, 1000),
        ("USE1-NovaPro-input-tokens-custom-model", "", Reason.CUSTOM, Tier.STANDARD, 1000),
        ("USE1-NovaPro-ModelUnits-1MonthCommit", "", Reason.PROVISIONED, Tier.STANDARD, None),
        ("USE1-Flows-NodeTransitions", "", Reason.SERVICE, Tier.STANDARD, None),
    ],
)
def test_the_meaning_of_a_usage_type(
    usage: str, operation: str, reason: Reason | None, tier: Tier, tokens: int | None
) -> None:
    charged = Charged("Usage", "AmazonBedrock", "", "", "", usage, operation, "1K tokens")
    found = meaning(charged)
    assert (found.reason, found.tier, found.tokens_in_unit) == (reason, tier, tokens)


def test_every_reason_says_why() -> None:
    assert all(reason.why for reason in Reason)


@pytest.mark.parametrize(
    ("usage", "region"),
    [
        ("USE1-NovaPro-input-tokens", "us-east-1"),
        ("EU-NovaPro-input-tokens", "eu-west-1"),
        ("APS3-MP:APS3_input_tokens_standard-Units", "ap-south-1"),
        ("NovaPro-input-tokens", ""),
        ("", ""),
    ],
)
def test_the_region_of_a_usage_type(usage: str, region: str) -> None:
    assert region_of(usage) == region


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        ("arn:aws:iam::111122223333:user/team/alice", "user/alice"),
        ("arn:aws:sts::111122223333:assumed-role/ci/run-1", "role/ci"),
        ("arn:aws:iam::111122223333:role/ci", "role/ci"),
        ("arn:aws:sts::444455556666:assumed-role/reporting/x", "444455556666/role/reporting"),
        (
            "arn:aws:sts::444455556666:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/Ann@x.com",
            "sso/ann@x.com",
        ),
        ("arn:aws:iam::111122223333:root", "other/arn:aws:iam::111122223333:root"),
        ("bedrock.amazonaws.com", "other/bedrock.amazonaws.com"),
        ("", ""),
    ],
)
def test_the_caller_of_a_row(arn: str, principal: str) -> None:
    assert billed_principal(arn, HOME) == principal


@pytest.mark.parametrize(
    ("ledger", "principal"),
    [
        ("user/alice", "user/alice"),
        ("444455556666/role/reporting", "444455556666/role/reporting"),
        ("other/arn:aws:sts::444455556666:assumed-role/reporting/x", "444455556666/role/reporting"),
        ("other/arn:aws:iam::111122223333:root", "other/arn:aws:iam::111122223333:root"),
    ],
)
def test_the_same_caller_in_the_ledger(ledger: str, principal: str) -> None:
    assert metered_principal(ledger, HOME) == principal


@pytest.mark.parametrize(
    ("names", "kept", "replaced"),
    [
        (["bill-00002.csv.gz", "bill-00001.csv.gz"], ["bill-00001.csv.gz", "bill-00002.csv.gz"], 0),
        ([f"{PERIOD}/b-1.parquet", "cur/bill/metadata/b-Manifest.json"], [f"{PERIOD}/b-1.parquet"],
         0),
        ([f"{PERIOD}/2026-11-19T13:14:37.728Z-8c5a/b-1.csv.gz",
          f"{PERIOD}/2026-11-20T01:14:37.728Z-0c5a/b-1.csv.gz",
          f"{PERIOD}/2026-11-20T01:14:37.728Z-0c5a/b-2.csv.gz",
          f"{OTHER_PERIOD}/2026-11-02T01:14:37.728Z-1c5a/b-1.csv.gz"],
         [f"{OTHER_PERIOD}/2026-11-02T01:14:37.728Z-1c5a/b-1.csv.gz",
          f"{PERIOD}/2026-11-20T01:14:37.728Z-0c5a/b-1.csv.gz",
          f"{PERIOD}/2026-11-20T01:14:37.728Z-0c5a/b-2.csv.gz"], 1),
        ([], [], 0),
        (["notes.txt"], [], 0),
    ],
)  # fmt: skip
def test_the_files_of_an_export(names: list[str], kept: list[str], replaced: int) -> None:
    found = delivered(names)
    assert (list(found.names), found.replaced) == (kept, replaced)


def test_two_formats_are_told() -> None:
    found = delivered(["b.csv", "b.parquet"])
    assert found.format is None
    assert found.formats == (FileFormat.CSV, FileFormat.PARQUET)
