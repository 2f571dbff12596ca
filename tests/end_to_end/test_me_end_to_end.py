"""`quota-enforcer me`, end to end: the deployed function URL, and IAM judging who may ask."""

import json
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from deployed_stack import ALLOW, DeployedStack, call, credentials, is_refused
from embedded_account import Caller, Sessions
from quota_enforcer.aws.functions.function_url import MayNotAsk, ask
from quota_enforcer.core.policies.callers import asking

MAY_ASK: list[dict[str, Any]] = asking("bedrock-quota")["Statement"]


def told(stack: DeployedStack, caller: boto3.Session) -> list[dict[str, Any]]:
    """The caller's standings, as the command line prints them."""
    url = stack.outputs["MeUrl"]
    done = stack.command("me", "--json", caller=caller, QUOTA_ENFORCER_URL=url)
    assert done.exit_code == 0, done.output
    standings: list[dict[str, Any]] = json.loads(done.stdout)["standings"]
    return standings


def used(stack: DeployedStack, caller: boto3.Session) -> list[tuple[str, int]]:
    return [
        (standing["principal"], quota["used"])
        for standing in told(stack, caller)
        for quota in standing["quotas"]
    ]


def test_alice_sees_what_is_alices_and_bob_what_is_bobs(
    streaming: DeployedStack, user: Caller
) -> None:
    alice, bob = user("alice", ALLOW, *MAY_ASK), user("bob", ALLOW, *MAY_ASK)
    streaming.quota()
    call(alice, 400)
    call(bob, 7)
    streaming.metered()
    assert used(streaming, alice) == [("user/alice", 400)]
    assert used(streaming, bob) == [("user/bob", 7)]


def test_who_is_blocked_can_still_ask_until_when(streaming: DeployedStack, user: Caller) -> None:
    alice = user("alice", ALLOW, *MAY_ASK)
    streaming.quota()
    call(alice, 1200)
    streaming.metered()
    assert is_refused(lambda: call(alice))
    (standing,) = told(streaming, alice)
    assert (standing["denied"], standing["until"]) == (["*"], "2027-03-02T00:00:00Z")
    assert standing["quotas"][0]["state"] == "blocked"


def test_a_session_of_a_role_and_a_person_of_identity_center_see_theirs(
    streaming: DeployedStack, role_session: Sessions
) -> None:
    ci = role_session("ci", "42", ALLOW, *MAY_ASK)
    role = "AWSReservedSSO_Developer_0123456789abcdef"
    ann = role_session(role, "Ann@Example.com", ALLOW, *MAY_ASK)
    eve = role_session(role, "eve@example.com")
    call(ci, 3)
    call(ann, 5)
    streaming.metered()
    assert used(streaming, ci) == [("role/ci", 3)]
    assert used(streaming, ann) == [("sso/ann@example.com", 5)]
    assert used(streaming, eve) == [("sso/eve@example.com", 0)]


@pytest.mark.parametrize(
    ("path", "named"),
    [("", {"principal": "user/bob"}), ("user/bob", {}), ("", {"userArn": "bob"})],
    ids=str,
)
def test_nobody_can_ask_about_somebody_else(
    path: str, named: dict[str, str], streaming: DeployedStack, user: Caller
) -> None:
    alice = user("alice", ALLOW, *MAY_ASK)
    request = AWSRequest("GET", streaming.outputs["MeUrl"] + path, params=named)
    SigV4Auth(credentials(alice), "lambda", "us-east-1").add_auth(request)
    answer = URLLib3Session().send(request.prepare())
    assert answer.status_code == 400
    assert "only about who asks" in answer.text


def test_without_the_policy_nobody_asks_and_hears_what_is_missing(
    streaming: DeployedStack, user: Caller
) -> None:
    done = streaming.command(
        "me", caller=user("alice", ALLOW), QUOTA_ENFORCER_URL=streaming.outputs["MeUrl"]
    )
    assert done.exit_code == 1
    assert "quota-enforcer policy me" in done.stderr
    assert "lambda:InvokeFunctionUrl" in done.stderr


@pytest.mark.parametrize("lacking", range(len(MAY_ASK)))
def test_both_permissions_are_needed(lacking: int, streaming: DeployedStack, user: Caller) -> None:
    kept = [each for place, each in enumerate(MAY_ASK) if place != lacking]
    alice = user("alice", *kept)
    with pytest.raises(MayNotAsk):
        ask(streaming.outputs["MeUrl"], credentials(alice), "us-east-1")


def test_the_function_cannot_be_invoked_with_an_event_of_ones_own(
    streaming: DeployedStack, user: Caller
) -> None:
    """Which would say to be bob."""
    alice = user("alice", *MAY_ASK)
    function = streaming.outputs["MeFunction"]
    assert is_refused(lambda: alice.client("lambda").invoke(FunctionName=function, Payload="{}"))


def test_somebody_elses_signature_is_none(streaming: DeployedStack, user: Caller) -> None:
    """A known key id does not do."""
    alice = user("alice", *MAY_ASK)
    key = credentials(alice)
    thief = boto3.Session(key.access_key, "guessed", region_name="us-east-1")
    done = streaming.command("me", caller=thief, QUOTA_ENFORCER_URL=streaming.outputs["MeUrl"])
    assert done.exit_code == 1
    assert "AWS does not know these credentials" in done.stderr


def test_an_admin_needs_no_url_since_the_stack_says_it(streaming: DeployedStack) -> None:
    """The account's root may ask, and hears that no quota covers it."""
    done = streaming.command("me")
    assert done.exit_code == 1
    assert "has no quota" in " ".join(done.stderr.split())


def test_what_alice_is_told_is_in_no_log(streaming: DeployedStack, user: Caller) -> None:
    alice = user("alice", ALLOW, *MAY_ASK)
    streaming.quota()
    call(alice, 123)
    streaming.metered()
    told(streaming, alice)
    logs, group = streaming.aws.client("logs"), {"logGroupName": "/bedrock-quota/bedrock-quota/me"}
    logged = " ".join(
        event["message"]
        for stream in logs.describe_log_streams(**group)["logStreams"]
        for event in logs.get_log_events(logStreamName=stream["logStreamName"], **group)["events"]
    )
    assert "user/alice" in logged
    for private in ("123 ", '"used"', "AWS4-HMAC", str(credentials(alice).access_key)):
        assert private not in logged
