"""What the offline checks find in a policy document, and that ours pass them."""

import json
from typing import Any

import pytest

from quota_enforcer.core.policies import roles as functions
from quota_enforcer.core.policies.allow import allow_models
from quota_enforcer.core.policies.boundary import gate
from quota_enforcer.core.policies.deny import deny_all, deny_models
from quota_enforcer.core.policies.lint import Kind, findings
from quota_enforcer.core.policies.scp import Guarded, guard

ACCOUNT = "111122223333"
MODEL = "arn:aws:bedrock:*::foundation-model/anthropic.claude-3-opus-20240229-v1:0"
GOOD: dict[str, Any] = {
    "Sid": "Good",
    "Effect": "Allow",
    "Action": "bedrock:InvokeModel",
    "Resource": MODEL,
}


def found(*statements: Any, kind: Kind = Kind.IDENTITY, **top: Any) -> list[str]:
    written = {"Version": "2012-10-17", "Statement": list(statements), **top}
    return findings(json.dumps(written), kind)


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov", "aws-cn"])
def test_all_that_we_write_passes(partition: str) -> None:
    of = functions.Deployed.named("bedrock-quota", ACCOUNT, partition, "*", scopes=5, gates=4)
    models = ["anthropic.claude-3-opus-20240229-v1:0"]
    ours = [
        (deny_all(), Kind.IDENTITY),
        (deny_models(models, partition=partition), Kind.IDENTITY),
        (gate({"*:bob": ["*"], "AROAX:al": models}, partition=partition), Kind.BOUNDARY),
        (gate({}), Kind.BOUNDARY),
        (allow_models(models, ACCOUNT, partition=partition, console=True), Kind.IDENTITY),
        (functions.enforcer(of), Kind.IDENTITY),
        (functions.author(of), Kind.IDENTITY),
        (guard(Guarded(ACCOUNT, "bedrock-quota", ("Admin",), "log", partition)), Kind.SCP),
    ]
    assert [findings(json.dumps(written), kind) for written, kind in ours] == [[]] * len(ours)


def test_a_good_document_has_no_findings() -> None:
    assert found(GOOD) == []


@pytest.mark.parametrize("text", ["", "{", b"\xff\xfe", "[" * 100_000])
def test_what_is_no_json_is_said(text: str | bytes) -> None:
    (finding,) = findings(text, Kind.IDENTITY)
    assert finding.startswith("it is no JSON")


@pytest.mark.parametrize(
    ("changed", "finding"),
    [
        ({"Effect": "allow"}, "Effect is 'allow': write 'Allow' or 'Deny'"),
        ({"Action": []}, "Action is empty"),
        ({"Action": "InvokeModel"}, "'InvokeModel' is no action: write service:Action"),
        ({"Action": 7}, "7 is no action: write service:Action"),
        ({"NotAction": "x:Y"}, "it needs Action or NotAction, and has Action and NotAction"),
        ({"Principal": "*"}, "'Principal' is no element of such a policy"),
        ({"Sid": "not good"}, "its Sid may only have letters and digits"),
        ({"Resource": "claude"}, "'claude' is no resource: write an ARN or '*'"),
        (
            {"Resource": "arn:amazon:s3:::b"},
            "'arn:amazon:s3:::b' names the partition 'amazon', which AWS does not have",
        ),
        (
            {"Resource": "arn:aws:sqs:r:123:q"},
            "'arn:aws:sqs:r:123:q' names the account '123': accounts have 12 digits",
        ),
        (
            {"Resource": f"arn:aws:bedrock:*:{ACCOUNT}:foundation-model/x"},
            (
                f"'arn:aws:bedrock:*:{ACCOUNT}:foundation-model/x' matches nothing: "
                "a foundation model's ARN has no account"
            ),
        ),
        (
            {"Resource": "arn:aws:bedrock:*::foundation-model/anthropic.claude-3*"},
            (
                "it allows calls of 'arn:aws:bedrock:*::foundation-model/anthropic.claude-3*', "
                "which opens every model that begins so"
            ),
        ),
        ({"Resource": "*"}, "it allows calls of '*', which opens every model that begins so"),
        ({"Action": "bedrock:*"}, "it allows bedrock:*, which is more than calling models"),
        ({"Action": "*"}, "it allows *, which is more than calling models"),
        ({"Condition": {}}, "Condition is empty or no object, so it limits nothing"),
        ({"Condition": {"StringLike": {}}}, "Condition StringLike names no key"),
        (
            {"Condition": {"StringLike": {"aws:userid": []}}},
            "Condition StringLike aws:userid has no value",
        ),
        (
            {"Condition": {"StringLike": {"aws:userid": ["*:a*"]}}},
            "aws:userid '*:a*' is a pattern that may match other people",
        ),
    ],
)
def test_each_flaw_of_a_statement_is_found_and_named(changed: dict[str, Any], finding: str) -> None:
    statement = GOOD | changed
    assert f"{statement['Sid']}: {finding}" in found(statement)


@pytest.mark.parametrize("element", ["Action", "Resource"])
def test_an_allow_of_everything_but_something_is_found(element: str) -> None:
    statement = {key: value for key, value in GOOD.items() if key != element}
    value = GOOD[element]
    problem = f"Good: Allow with Not{element} grants everything that it does not name"
    assert problem in found({**statement, f"Not{element}": value})
    assert found({**statement, f"Not{element}": value, "Effect": "Deny"}) == []


def test_a_missing_element_is_found() -> None:
    assert found({"Effect": "Deny", "Action": "*"}) == [
        "statement 1: it needs Resource or NotResource, and has neither"
    ]


def test_a_sid_that_stands_twice_is_found() -> None:
    assert found(GOOD, GOOD) == ["Sid 'Good' stands 2 times: each must be unique"]


def test_arns_of_two_partitions_are_found() -> None:
    gov = GOOD | {"Sid": "Gov", "Resource": MODEL.replace(":aws:", ":aws-us-gov:")}
    assert found(GOOD, gov) == [
        "its ARNs are of several partitions (aws, aws-us-gov): no account is in two"
    ]


@pytest.mark.parametrize(
    ("kind", "limit"), [(Kind.IDENTITY, "6,144"), (Kind.BOUNDARY, "6,144"), (Kind.SCP, "5,120")]
)
def test_a_document_that_is_too_large_is_found(kind: Kind, limit: str) -> None:
    models = [MODEL + str(number) for number in range(100)]
    (finding,) = found(GOOD | {"Resource": models}, kind=kind)
    assert finding.endswith(f"AWS takes {limit} ({kind})")


def test_an_old_version_is_found() -> None:
    assert found(GOOD, Version="2008-10-17") == [
        "Version is '2008-10-17': write '2012-10-17', or variables and newer features mean nothing"
    ]


@pytest.mark.parametrize("kind", [Kind.BOUNDARY, Kind.SCP])
def test_what_grants_nothing_by_itself_may_allow_everything(kind: Kind) -> None:
    assert found({"Effect": "Allow", "Action": "*", "Resource": "*"}, kind=kind) == []


@pytest.mark.parametrize(
    ("written", "finding"),
    [
        ([], "the list holds no policy document"),
        ("x", '"x" is no policy document: expected an object'),
        ({"Version": "2012-10-17"}, "it has no Statement"),
        ({"Version": "2012-10-17", "Statement": ["x"]}, "statement 1 is no object"),
    ],
)
def test_what_is_no_policy_is_said(written: Any, finding: str) -> None:
    assert findings(json.dumps(written), Kind.IDENTITY) == [finding]


def test_findings_in_a_list_say_in_which_document() -> None:
    good = {"Version": "2012-10-17", "Statement": GOOD}
    bad = {"Version": "2012-10-17", "Statement": GOOD | {"Effect": "x"}}
    (finding,) = findings(json.dumps([good, bad]), Kind.IDENTITY)
    assert finding == "document 2: Good: Effect is 'x': write 'Allow' or 'Deny'"


def test_white_space_counts_in_a_service_control_policy_only() -> None:
    statement = {"Effect": "Deny", "Action": ["iam:*"] * 300, "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    compact, spread = json.dumps(document, separators=(",", ":")), json.dumps(document, indent=8)
    assert findings(compact, Kind.SCP) == []
    assert "AWS takes 5,120 (scp)" in findings(spread, Kind.SCP)[0]
    assert findings(spread, Kind.BOUNDARY) == []
