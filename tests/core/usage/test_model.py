"""Models: one name for each, and which of them a scope covers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import HAIKU
from quota_enforcer.core.usage.model import EVERY_MODEL, ModelScope, canonical_model

BEDROCK = "arn:aws:bedrock:us-east-1:123456789012"


@pytest.mark.parametrize(
    ("model_id", "model"),
    [
        pytest.param(HAIKU, HAIKU, id="bare"),
        *(
            pytest.param(f"{geography}.{HAIKU}", HAIKU, id=geography)
            for geography in ("us", "eu", "apac", "jp", "au", "in", "global", "us-gov")
        ),
        pytest.param(f"arn:aws:bedrock:us-east-1::foundation-model/{HAIKU}", HAIKU, id="model ARN"),
        pytest.param(f"arn:aws:bedrock:::foundation-model/{HAIKU}", HAIKU, id="without a Region"),
        pytest.param(f"{BEDROCK}:inference-profile/us.{HAIKU}", HAIKU, id="profile ARN"),
        pytest.param(
            f"arn:aws-us-gov:bedrock:us-gov-west-1:1:inference-profile/us-gov.{HAIKU}",
            HAIKU,
            id="GovCloud profile ARN",
        ),
        pytest.param(f"{HAIKU}:200k", f"{HAIKU}:200k", id="context variant"),
        pytest.param(
            f"{BEDROCK}:application-inference-profile/a1b2c3",
            "application-inference-profile/a1b2c3",
            id="application profile: opaque",
        ),
        pytest.param(f"{BEDROCK}:provisioned-model/x1", "provisioned-model/x1", id="provisioned"),
        pytest.param(
            f"{BEDROCK}:custom-model/amazon.titan-text-lite-v1:0:4k/abc",
            "custom-model/amazon.titan-text-lite-v1:0:4k/abc",
            id="custom",
        ),
        pytest.param(
            f"{BEDROCK}:custom-model-deployment/d1", "custom-model-deployment/d1", id="deployment"
        ),
        pytest.param(f"{BEDROCK}:imported-model/m1", "imported-model/m1", id="imported"),
        pytest.param(
            f"{BEDROCK}:default-prompt-router/anthropic.claude:1",
            "default-prompt-router/anthropic.claude:1",
            id="prompt router",
        ),
        pytest.param(
            "arn:aws:sagemaker:us-east-1:1:endpoint/eu.x.y",
            "arn:aws:sagemaker:us-east-1:1:endpoint/eu.x.y",
            id="marketplace",
        ),
        pytest.param("us.anthropic", "us.anthropic", id="no vendor after the prefix"),
        pytest.param(
            "acme-us.big-v1.5:0", "acme-us.big-v1.5:0", id="only looks like a prefix, inside"
        ),
        *(
            pytest.param(f"{new}.anthropic.claude-sonnet-5", "anthropic.claude-sonnet-5", id=new)
            for new in ("kr", "latam", "us-iso", "eu-sovereign")
        ),
        pytest.param(
            f"{BEDROCK}:inference-profile/kr.amazon.nova-lite-v1:0",
            "amazon.nova-lite-v1:0",
            id="new geography in an ARN",
        ),
        pytest.param("kr.acme.big-v1", "kr.acme.big-v1", id="new geography, unknown vendor"),
        pytest.param("meta.amazon.x-v1", "meta.amazon.x-v1", id="two vendors"),
        pytest.param("amazon.nova-premier-v1:0:mm", "amazon.nova-premier-v1:0:mm", id="mm"),
        pytest.param("eu.us.model.x", "us.model.x", id="one prefix at most"),
        pytest.param("", "", id="empty"),
    ],
)
def test_every_form_of_a_model_id_has_one_name(model_id: str, model: str) -> None:
    assert canonical_model(model_id) == model


@given(st.from_regex(r"[a-z0-9]{3,9}\.[a-z0-9-]{1,20}(:[0-9]{1,2})?", fullmatch=True))
def test_all_forms_of_a_model_are_one(model: str) -> None:
    name = canonical_model(model)
    for form in (f"eu.{name}", f"{BEDROCK}:inference-profile/apac.{name}",
                 f"arn:aws:bedrock:eu-west-1::foundation-model/{name}"):  # fmt: skip
        assert canonical_model(form) == name


@pytest.mark.parametrize(
    ("pattern", "model", "covered"),
    [
        ("*", HAIKU, True),
        ("*", "", True),
        (HAIKU, HAIKU, True),
        (HAIKU, f"{HAIKU}:200k", True),
        ("amazon.nova-premier-v1:0", "amazon.nova-premier-v1:0:mm", True),
        ("amazon.titan-embed-text-v1", "amazon.titan-embed-text-v1:2:8k", True),
        (HAIKU, f"{HAIKU}0", False),
        (HAIKU, "anthropic.claude-3-haiku", False),
        ("anthropic.claude-3-opus*", "anthropic.claude-3-opus-20240229-v1:0", True),
        ("anthropic.claude-3-opus*", HAIKU, False),
        ("anthropic.*", HAIKU, True),
        ("*haiku*", HAIKU, True),
        ("Anthropic.*", HAIKU, False),
        ("anthropic.*", HAIKU.upper(), False),
    ],
)
def test_what_a_scope_covers(pattern: str, model: str, covered: bool) -> None:  # noqa: FBT001
    assert ModelScope(pattern).covers(model) is covered


@given(st.text())
def test_every_model_is_covered_by_the_widest_scope(model: str) -> None:
    assert EVERY_MODEL.covers(model)
