"""What an opaque ARN leads to, and whether the deny of a model reaches it."""

import pytest

from builders import HAIKU, NOON
from quota_enforcer.core.usage.model import (
    SeenModel,
    left_open,
    model_behind,
    opaque_type,
    region_of,
    unresolved,
)

SONNET = "anthropic.claude-3-sonnet-20240229-v1:0"
OWN = "arn:aws:bedrock:us-east-1:123456789012"


def model_arn(region: str, model: str = HAIKU) -> str:
    return f"arn:aws:bedrock:{region}::foundation-model/{model}"


@pytest.mark.parametrize(
    ("regions", "priced_as"),
    [
        pytest.param(["us-east-1"], HAIKU, id="one Region has the price without a prefix"),
        pytest.param(["eu-west-1", "eu-west-1"], HAIKU, id="the same one twice"),
        pytest.param(["us-east-1", "us-west-2"], f"us.{HAIKU}", id="United States"),
        pytest.param(["us-east-1", "ca-central-1"], f"us.{HAIKU}", id="with Canada"),
        pytest.param(["ca-central-1", "ca-west-1"], f"ca.{HAIKU}", id="Canada alone"),
        pytest.param(["eu-west-1", "eu-central-1"], f"eu.{HAIKU}", id="Europe"),
        pytest.param(["ap-south-1", "ap-southeast-2"], f"apac.{HAIKU}", id="Asia and Pacific"),
        pytest.param(["ap-northeast-1", "ap-northeast-3"], f"jp.{HAIKU}", id="Japan"),
        pytest.param(["ap-southeast-2", "ap-southeast-4"], f"au.{HAIKU}", id="Australia"),
        pytest.param(["ap-south-1", "ap-south-2"], f"in.{HAIKU}", id="India"),
        pytest.param(["us-gov-west-1", "us-gov-east-1"], f"us-gov.{HAIKU}", id="GovCloud"),
        pytest.param(["us-east-1", ""], f"global.{HAIKU}", id="a model without a Region"),
        pytest.param([""], f"global.{HAIKU}", id="nothing but that"),
        pytest.param(["us-east-1", "eu-west-1"], f"global.{HAIKU}", id="several geographies"),
        pytest.param(["il-central-1", "il-west-1"], HAIKU, id="a geography without a prefix"),
    ],
)
def test_the_price_goes_by_the_regions_that_calls_may_go_to(
    regions: list[str], priced_as: str
) -> None:
    assert model_behind(map(model_arn, regions)) == (HAIKU, priced_as)


@pytest.mark.parametrize(
    "arns",
    [
        pytest.param([], id="none"),
        pytest.param([model_arn("us-east-1"), model_arn("us-east-1", SONNET)], id="two"),
        pytest.param([f"{OWN}:provisioned-model/abc"], id="an opaque one"),
    ],
)
def test_what_is_no_single_model_is_never_guessed(arns: list[str]) -> None:
    assert model_behind(arns) is None


@pytest.mark.parametrize(
    ("arn", "kind", "region"),
    [
        (f"{OWN}:provisioned-model/abc", "provisioned-model", "us-east-1"),
        (f"{OWN}:custom-model/{HAIKU}/abc", "custom-model", "us-east-1"),
        ("arn:aws-us-gov:bedrock:us-gov-west-1:1:prompt/a:1", "prompt", "us-gov-west-1"),
        (model_arn(""), "foundation-model", ""),
        ("arn:aws:sagemaker:us-east-1:1:endpoint/a", "", ""),
        (HAIKU, "", ""),
    ],
)
def test_type_and_region_stand_in_the_arn(arn: str, kind: str, region: str) -> None:
    assert (opaque_type(arn), region_of(arn)) == (kind, region)


def seen(kind: str, name: str = HAIKU) -> SeenModel:
    return SeenModel(f"{OWN}:{kind}/abc", name, name, NOON)


@pytest.mark.parametrize(
    ("scope", "what", "is_open"),
    [
        (HAIKU, seen("provisioned-model"), True),
        (HAIKU, seen("custom-model-deployment"), True),
        (HAIKU, seen("custom-model"), True),
        ("anthropic.claude-3-haiku*", seen("provisioned-model"), True),
        (HAIKU, seen("provisioned-model", f"{HAIKU}:200k"), True),
        (SONNET, seen("provisioned-model"), False),
        ("*", seen("provisioned-model"), False),
        (HAIKU, seen("application-inference-profile"), False),
        (HAIKU, unresolved(f"{OWN}:imported-model/abc", "nobody knows", NOON, NOON), False),
        ("*", unresolved(f"{OWN}:imported-model/abc", "nobody knows", NOON, NOON), False),
    ],
)
def test_a_model_deny_leaves_open_what_counts_to_it_by_an_arn_that_it_does_not_name(
    scope: str, what: SeenModel, *, is_open: bool
) -> None:
    assert left_open(scope, what) is is_open


def test_an_unresolved_one_counts_and_costs_under_its_own_name() -> None:
    model = unresolved(f"{OWN}:provisioned-model/abc", "not allowed", NOON, NOON).model
    assert (model.name, model.priced_as) == ("provisioned-model/abc", "provisioned-model/abc")
