"""The main job end to end: the real template and functions, judged by IAM's own decisions."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deployed_stack import ALLOW, DeployedStack, call, is_refused
from embedded_account import (
    LOG_GROUP,
    START,
    Caller,
    Sessions,
)
from quota_enforcer.local.deploy import StackError
from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.local.schedules import FunctionError

POLICY_NAME = "bedrock-quota-over-bedrock-quota-see-your-notice"


def logging_configuration(aws: EmbeddedAws) -> Any:
    return aws.client("bedrock").get_model_invocation_logging_configuration().get("loggingConfig")


def test_who_is_over_is_refused_by_iam_until_the_window_ends(
    stack: DeployedStack, user: Caller
) -> None:
    alice, bob = user("alice", ALLOW), user("bob", ALLOW)
    stack.quota()
    call(alice, 1200)
    assert stack.told() == [("user/alice", "blocked")]
    with pytest.raises(ClientError, match=POLICY_NAME):
        call(alice)
    call(bob)
    stack.aws.set_time(START + timedelta(hours=12))
    assert stack.told() == [("user/alice", "restored")]
    call(alice)


def test_a_role_is_blocked_in_every_session_also_one_that_is_running(
    stack: DeployedStack, role_session: Sessions
) -> None:
    one, two = role_session("ci", "one", ALLOW), role_session("ci", "two", ALLOW)
    stack.quota(principal="role/ci")
    call(one, 600)
    call(two, 600)
    stack.sweep()
    assert is_refused(lambda: call(one))
    assert is_refused(lambda: call(two))
    assert is_refused(lambda: call(role_session("ci", "three")))


def test_an_edit_of_the_limit_gives_access_back_with_the_next_sweep(
    stack: DeployedStack, user: Caller
) -> None:
    alice = user("alice", ALLOW)
    stack.quota()
    call(alice, 1200)
    stack.sweep()
    stack.quota(limit=5000)
    assert stack.told() == [("user/alice", "restored")]
    call(alice)


def test_a_dry_run_reports_and_changes_nothing(stack: DeployedStack, user: Caller) -> None:
    alice = user("alice", ALLOW)
    stack.quota()
    call(alice, 1200)
    stack.aws.set_time(START + timedelta(minutes=5))
    report = stack.ask({"action": "sweep", "dry_run": True})
    assert [event["kind"] for event in report["events"]] == ["blocked"]
    assert stack.denied() == set()
    call(alice)
    assert stack.told() == [("user/alice", "blocked")]


def test_observe_mode_warns_and_blocks_nobody(aws: EmbeddedAws, user: Caller) -> None:
    stack = DeployedStack.of(aws, Mode="observe")
    alice = user("alice", ALLOW)
    stack.quota()
    call(alice, 1200)
    assert stack.told() == [("user/alice", "warning")]
    call(alice)


def test_an_update_to_observe_mode_releases_everybody(stack: DeployedStack, user: Caller) -> None:
    alice = user("alice", ALLOW)
    stack.quota()
    call(alice, 1200)
    stack.sweep()
    DeployedStack.of(stack.aws, Mode="observe")
    assert ("user/alice", "restored") in stack.told()
    call(alice)


def test_an_update_of_the_stack_releases_nobody_and_sweeps_go_on(
    stack: DeployedStack, user: Caller
) -> None:
    alice, bob = user("alice", ALLOW), user("bob", ALLOW)
    stack.quota()
    call(alice, 1200)
    stack.sweep()
    updated = DeployedStack.of(stack.aws, Contact="#another-channel", LogPromptsAndAnswers="true")
    assert is_refused(lambda: call(alice))
    call(bob, 1200)
    assert updated.told() == [("user/bob", "blocked")]


# Several stacks, and what was there before


def test_two_stacks_do_not_touch_each_others_people(stack: DeployedStack, user: Caller) -> None:
    group = stack.outputs["InvocationLogGroup"]
    other = DeployedStack.of(stack.aws, "other", ExistingLogGroup=group)
    alice, bob = user("alice", ALLOW), user("bob", ALLOW)
    stack.quota(principal="user/alice")
    other.quota(principal="user/bob")
    call(alice, 1200)
    call(bob, 1200)
    assert stack.told() == [("user/alice", "blocked")]
    assert other.told() == [("user/bob", "blocked")]
    assert (stack.told(), other.told()) == ([], [])
    assert (stack.denied(), other.denied()) == ({"alice"}, {"bob"})
    stack.aws.delete("other")
    call(bob)
    assert is_refused(lambda: call(alice))


def test_somebody_elses_logging_is_not_overwritten_and_the_parameter_to_set_is_named(
    logged: EmbeddedAws,
) -> None:
    before = logging_configuration(logged)
    with pytest.raises(StackError, match=f"set parameter ExistingLogGroup to {LOG_GROUP}"):
        DeployedStack.of(logged)
    assert logging_configuration(logged) == before


def test_with_the_existing_log_group_usage_is_metered_from_it(
    logged: EmbeddedAws, user: Caller
) -> None:
    stack = DeployedStack.of(logged, ExistingLogGroup=LOG_GROUP)
    stack.quota()
    call(user("alice", ALLOW), 1200)
    assert ("user/alice", "blocked") in stack.told()


def test_the_existing_log_group_and_its_logging_stay_when_the_stack_goes(
    logged: EmbeddedAws,
) -> None:
    before = logging_configuration(logged)
    DeployedStack.of(logged, ExistingLogGroup=LOG_GROUP)
    logged.delete("bedrock-quota")
    assert logging_configuration(logged) == before
    groups = logged.client("logs").describe_log_groups()["logGroups"]
    assert LOG_GROUP in {group["logGroupName"] for group in groups}


# The end of the stack


def test_deleting_the_stack_releases_who_is_blocked(stack: DeployedStack, user: Caller) -> None:
    alice = user("alice", ALLOW)
    stack.quota()
    call(alice, 1200)
    stack.sweep()
    stack.aws.delete(stack.name)
    attached = stack.aws.client("iam").list_attached_user_policies(UserName="alice")
    assert attached["AttachedPolicies"] == []
    call(alice)


def test_deleting_the_stack_leaves_nothing_of_it(stack: DeployedStack) -> None:
    aws = stack.aws
    aws.delete(stack.name)
    assert logging_configuration(aws) is None
    assert aws.client("iam").list_policies(Scope="Local")["Policies"] == []
    assert aws.client("iam").list_roles()["Roles"] == []
    assert aws.client("lambda").list_functions()["Functions"] == []
    assert aws.client("scheduler").list_schedules()["Schedules"] == []
    assert aws.client("dynamodb").list_tables()["TableNames"] == []
    assert aws.client("logs").describe_log_groups()["logGroups"] == []
    assert aws.client("sqs").list_queues().get("QueueUrls", []) == []


def test_a_stack_that_was_deleted_can_be_deployed_again(stack: DeployedStack, user: Caller) -> None:
    stack.aws.delete(stack.name)
    again = DeployedStack.of(stack.aws)
    again.quota()
    call(user("alice", ALLOW), 1200)
    assert ("user/alice", "blocked") in again.told()


# What the enforcer does not take


def test_an_unknown_event_is_an_error_that_names_the_known_ones(stack: DeployedStack) -> None:
    answer = stack.ask({"action": "dance"})
    assert answer["errorType"] == "UnknownEvent"
    assert "{'action': 'dance'}" in answer["errorMessage"]
    assert '{"action": "close"}' in answer["errorMessage"]


def test_a_tick_that_comes_too_late_is_dropped(stack: DeployedStack) -> None:
    late = (START - timedelta(minutes=10)).isoformat()
    answer = stack.ask({"action": "sweep", "scheduled_time": late})
    assert answer == {"dropped": "stale", "scheduled": late}


def test_a_tick_from_the_future_is_refused(stack: DeployedStack) -> None:
    early = (START + timedelta(minutes=10)).isoformat()
    answer = stack.ask({"action": "sweep", "scheduled_time": early})
    assert answer["errorType"] == "FutureTick"


def test_a_missing_environment_variable_is_named(stack: DeployedStack) -> None:
    client, function = stack.aws.client("lambda"), stack.outputs["EnforcerFunction"]
    variables = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    del variables["NOTICE_TOPIC"]
    client.update_function_configuration(
        FunctionName=function, Environment={"Variables": variables}
    )
    with pytest.raises(FunctionError, match="NOTICE_TOPIC is not set"):
        stack.sweep()


def test_a_quota_item_that_is_not_valid_stops_nobody_elses(
    stack: DeployedStack, user: Caller
) -> None:
    call(user("alice", ALLOW), 1200)
    stack.quota()
    stack.quota(principal="user/bob", limt=5)
    assert stack.told() == [
        ("user/bob", "invalid-quota"),
        ("user/alice", "blocked"),
    ]
