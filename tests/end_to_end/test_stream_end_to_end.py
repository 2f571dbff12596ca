"""Metering by the stream, end to end: the real template and functions, judged by IAM itself."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from deployed_stack import ALLOW, MODEL, PROMPT, DeployedStack, call, is_refused
from embedded_account import LOG_GROUP, START, Caller, Sessions, document
from quota_enforcer.core.deployment import Settings
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.lambdas.enforcer import wiring
from quota_enforcer.local.embedded import EmbeddedAws

SONNET = "anthropic.claude-3-5-sonnet-20240620-v1:0"
BLOCKED = [("user/alice", "blocked")]


def used(stack: DeployedStack, principal: str) -> Counts:
    """All that the ledger has of somebody."""
    return Counts.total(hours(stack, principal).values())


def hours(stack: DeployedStack, principal: str) -> dict[datetime, Counts]:
    """The same, hour by hour, all models together."""
    client = stack.aws.client("lambda")
    configured = client.get_function_configuration(FunctionName=stack.outputs["EnforcerFunction"])
    settings = Settings.from_environment(configured["Environment"]["Variables"])
    ledger = wiring.ledger(settings, stack.aws.session())
    found: dict[datetime, list[Counts]] = {}
    usage = ledger.usage(Principal.parse(principal), START.date() - timedelta(days=1))
    for model in usage.models.values():
        for hour, counts in model.hours.items():
            found.setdefault(hour, []).append(counts)
    return {hour: Counts.total(several) for hour, several in found.items()}


def invoke_meter(stack: DeployedStack, event: Any) -> Any:
    answer = stack.aws.client("lambda").invoke(
        FunctionName=stack.outputs["MeterFunction"], Payload=json.dumps(event)
    )
    return json.loads(answer["Payload"].read())


def later(stack: DeployedStack, **ahead: float) -> None:
    stack.aws.set_time(stack.aws.time + timedelta(**ahead))


# The main job


def test_who_crosses_the_line_is_refused_by_iam_without_any_tick(
    streaming: DeployedStack, user: Caller
) -> None:
    alice, bob = user("alice", ALLOW), user("bob", ALLOW)
    streaming.quota()
    call(alice, 999)
    assert streaming.told_by_the_stream() == [("user/alice", "warning")]
    call(alice, 1)
    assert streaming.told_by_the_stream() == [("user/alice", "blocked")]
    assert is_refused(lambda: call(alice))
    call(bob)
    assert streaming.metered()
    assert used(streaming, "user/alice")[:2] == (2, 1000)


def test_the_schedule_alone_gives_access_back_when_the_window_ends(
    streaming: DeployedStack, user: Caller
) -> None:
    alice = user("alice", ALLOW)
    streaming.quota()
    call(alice, 1200)
    assert streaming.told_by_the_stream() == BLOCKED
    streaming.aws.set_time(START + timedelta(hours=12))
    assert streaming.told() == [("user/alice", "restored")]
    call(alice)


def test_a_sweep_finds_nothing_left_to_do_after_the_stream(
    streaming: DeployedStack, user: Caller
) -> None:
    streaming.quota()
    call(user("alice", ALLOW), 1200)
    streaming.metered()
    assert streaming.told() == []
    assert streaming.denied() == {"alice"}


def test_a_role_is_blocked_in_every_session(
    streaming: DeployedStack, role_session: Sessions
) -> None:
    one, two = role_session("ci", "one", ALLOW), role_session("ci", "two", ALLOW)
    streaming.quota(principal="role/ci")
    call(one, 600)
    call(two, 600)
    assert ("role/ci", "blocked") in streaming.told_by_the_stream()
    assert is_refused(lambda: call(one))
    assert is_refused(lambda: call(two))


def test_calls_at_once_are_each_counted_once(streaming: DeployedStack, user: Caller) -> None:
    alice = user("alice", ALLOW)
    for _ in range(6):
        call(alice, 10)
    streaming.metered()
    assert used(streaming, "user/alice")[:2] == (6, 60)


def test_a_delivery_that_comes_again_counts_nothing(streaming: DeployedStack, user: Caller) -> None:
    call(user("alice", ALLOW), 10)
    (delivery,) = (
        each.event
        for each in streaming.metered()
        if each.function == streaming.outputs["MeterFunction"]
    )
    again = invoke_meter(streaming, delivery)
    assert (again["counted"], again["duplicates"]) == (0, 1)
    streaming.metered()
    assert used(streaming, "user/alice")[:2] == (1, 10)


def test_a_record_in_another_stream_of_the_log_group_counts_nothing(
    streaming: DeployedStack, user: Caller
) -> None:
    """Only Bedrock writes its stream, if nobody else may; another could be forged by many."""
    call(user("alice", ALLOW), 10)
    logs, group = streaming.aws.client("logs"), streaming.outputs["InvocationLogGroup"]
    events = logs.filter_log_events(logGroupName=group, filterPattern='{ $.modelId = "*" }')
    record = {"timestamp": 0, "message": events["events"][0]["message"].replace("alice", "bob")}
    logs.create_log_stream(logGroupName=group, logStreamName="forged")
    logs.put_log_events(
        logGroupName=group,
        logStreamName="forged",
        logEvents=[record | {"timestamp": int(START.timestamp() * 1000)}],
    )
    streaming.metered()
    assert used(streaming, "user/bob") == Counts()


# Money


def test_a_dollar_quota_blocks_somebody_whose_tokens_are_nearly_all_cached(
    streaming: DeployedStack, user: Caller
) -> None:
    """A real record's: 1 input, 238,604 cache-read and 1,314 cache-write tokens."""
    alice = user("alice", ALLOW)
    streaming.quota(measure="cost_usd", limit=Decimal("0.15"))
    cached = {"cache_read_tokens": 238_604, "cache_write_tokens": 1_314}
    call(alice, 1, SONNET, **cached)
    assert streaming.told_by_the_stream() == []
    call(alice, 1, SONNET, **cached)
    assert streaming.told_by_the_stream() == BLOCKED
    each = 238_604 * Decimal("0.0000003") + 1_314 * Decimal("0.00000375") + Decimal("0.000003")
    assert used(streaming, "user/alice").cost_usd == 2 * each
    assert is_refused(lambda: call(alice, 1, SONNET))


def test_what_a_delivery_cost_is_a_metric_for_the_dashboard(
    streaming: DeployedStack, user: Caller
) -> None:
    call(user("alice", ALLOW), 1_000_000, SONNET)
    (ended,) = (
        each for each in streaming.metered() if each.function == streaming.outputs["MeterFunction"]
    )
    emitted = next(json.loads(line) for line in ended.log.splitlines() if '"CostUsd"' in line)
    assert emitted["CostUsd"] == [3.0]


def test_a_call_through_an_application_profile_counts_to_its_model_and_price(
    streaming: DeployedStack, user: Caller
) -> None:
    profile = streaming.aws.client("bedrock").create_inference_profile(
        inferenceProfileName="team",
        modelSource={"copyFrom": f"arn:aws:bedrock:us-east-1::foundation-model/{SONNET}"},
    )["inferenceProfileArn"]
    call(user("alice", ALLOW), 1_000_000, profile)
    streaming.metered()
    counts = used(streaming, "user/alice")
    assert (counts.cost_usd, counts.assumed_usd) == (Decimal(3), Decimal(0))


# What heals


def subscription(stack: DeployedStack) -> dict[str, Any]:
    (found,) = stack.aws.client("logs").describe_subscription_filters(
        logGroupName=stack.outputs["InvocationLogGroup"]
    )["subscriptionFilters"]
    wanted = ("logGroupName", "filterName", "filterPattern", "destinationArn")
    return {name: found[name] for name in wanted}


def test_a_recount_counts_what_a_disabled_subscription_missed_and_blocks(
    streaming: DeployedStack, user: Caller
) -> None:
    alice, logs = user("alice", ALLOW), streaming.aws.client("logs")
    streaming.quota()
    call(alice, 10)
    streaming.metered()
    disabled = subscription(streaming)
    logs.delete_subscription_filter(
        logGroupName=disabled["logGroupName"], filterName=disabled["filterName"]
    )
    call(alice, 1200)
    logs.put_subscription_filter(**disabled)
    assert streaming.metered() == []
    assert used(streaming, "user/alice")[:2] == (1, 10)

    later(streaming, minutes=75)
    done = streaming.command("recount", "2027-03-01T12..2027-03-01T12")
    assert done.exit_code == 0, done.output
    assert used(streaming, "user/alice")[:2] == (2, 1210)
    assert streaming.told_by_the_stream() == BLOCKED
    assert is_refused(lambda: call(alice))


def test_a_recount_of_what_is_right_changes_nothing(streaming: DeployedStack, user: Caller) -> None:
    call(user("alice", ALLOW), 10)
    streaming.metered()
    before = used(streaming, "user/alice")
    later(streaming, minutes=75)
    for _ in range(2):
        done = streaming.command("recount", "2027-03-01T12", "--json")
        assert done.exit_code == 0, done.output
    assert used(streaming, "user/alice") == before


def test_an_hour_that_is_not_over_is_not_recounted(streaming: DeployedStack) -> None:
    done = streaming.command("recount", "2027-03-01T12")
    assert done.exit_code == 1
    assert "can be recounted from 2027-03-01T13:10Z on" in " ".join(done.stderr.split())


def refuse_the_ledger(stack: DeployedStack) -> None:
    """As where the table, its key or a guard denies the meter."""
    client = stack.aws.client("lambda")
    role = client.get_function_configuration(FunctionName=stack.outputs["MeterFunction"])["Role"]
    stack.aws.client("iam").put_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyName="no-ledger",
        PolicyDocument=document({"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}),
    )


def dead_letters(stack: DeployedStack) -> list[str]:
    sqs = stack.aws.client("sqs")
    (queue,) = sqs.list_queues(QueueNamePrefix="bedrock-quota-MeterDeadLetters")["QueueUrls"]
    return [each["Body"] for each in sqs.receive_message(QueueUrl=queue).get("Messages", [])]


def test_a_call_that_cannot_be_written_leaves_a_pointer_and_never_what_it_says(
    streaming: DeployedStack, user: Caller
) -> None:
    alice = user("alice", ALLOW)
    refuse_the_ledger(streaming)
    call(alice, 1200)
    ended = streaming.metered()
    assert [each.answer["failed"] for each in ended] == [1]
    (letter,) = dead_letters(streaming)
    stored = streaming.aws.client("logs").filter_log_events(
        logGroupName=streaming.outputs["InvocationLogGroup"], filterPattern='{ $.modelId = "*" }'
    )["events"][-1]
    assert PROMPT in stored["message"]
    assert stored["eventId"] in letter
    for secret in (PROMPT, "alice", MODEL):
        assert secret not in letter
        assert secret not in str([each.log for each in ended])


def test_a_recount_heals_what_the_dead_letters_point_to(
    streaming: DeployedStack, user: Caller
) -> None:
    alice = user("alice", ALLOW)
    streaming.quota()
    refuse_the_ledger(streaming)
    call(alice, 1200)
    streaming.metered()
    client = streaming.aws.client("lambda")
    meter = client.get_function_configuration(FunctionName=streaming.outputs["MeterFunction"])
    streaming.aws.client("iam").delete_role_policy(
        RoleName=meter["Role"].rpartition("/")[2], PolicyName="no-ledger"
    )
    later(streaming, minutes=75)
    streaming.command("recount", "2027-03-01T12")
    assert streaming.told_by_the_stream() == BLOCKED


def test_a_meter_that_cannot_even_leave_a_pointer_is_tried_again_and_then_counted_as_dropped(
    streaming: DeployedStack, user: Caller
) -> None:
    client = streaming.aws.client("lambda")
    meter = client.get_function_configuration(FunctionName=streaming.outputs["MeterFunction"])
    streaming.aws.client("iam").put_role_policy(
        RoleName=meter["Role"].rpartition("/")[2],
        PolicyName="nothing",
        PolicyDocument=document({"Effect": "Deny", "Action": "*", "Resource": "*"}),
    )
    call(user("alice", ALLOW), 1200)
    (ended,) = streaming.aws.settle()
    assert (ended.attempts, ended.answer) == (3, None)
    assert PROMPT not in ended.log


# A change of the meter


def test_from_metrics_to_the_stream_nothing_is_lost_and_nothing_counts_twice(
    aws: EmbeddedAws, user: Caller
) -> None:
    stack = DeployedStack.of(aws)
    alice = user("alice", ALLOW)
    call(alice, 10)
    stack.sweep()
    call(alice, 20)  # never seen by a sweep of the metrics
    stack = DeployedStack.of(aws, Metering="stream")
    call(alice, 40)
    stack.metered()
    stack.sweep()
    later(stack, minutes=75)
    recounted = {each["hour"] for each in stack.recounts() if "refused" not in each}
    assert "2027-03-01T12:00:00Z" in recounted
    stack.metered()
    assert used(stack, "user/alice")[:2] == (3, 70)
    assert hours(stack, "user/alice")[START][:2] == (3, 70)


def test_from_the_stream_to_metrics_nothing_is_lost_and_nothing_counts_twice(
    streaming: DeployedStack, user: Caller
) -> None:
    alice = user("alice", ALLOW)
    call(alice, 10)
    streaming.metered()
    streaming.sweep()
    stack = DeployedStack.of(streaming.aws, Metering="cloudwatch")
    call(alice, 20)  # in the metrics only, in an hour that they must not set
    stack.sweep()
    assert hours(stack, "user/alice")[START][:2] == (1, 10)
    later(stack, minutes=60)
    call(alice, 40)
    stack.sweep()
    later(stack, minutes=10)
    assert [each["hour"] for each in stack.recounts() if "refused" not in each] == [
        "2027-03-01T12:00:00Z"
    ]
    stack.metered()
    stack.sweep()
    assert [counts[:2] for counts in hours(stack, "user/alice").values()] == [(2, 30), (1, 40)]


def test_who_is_blocked_stays_blocked_through_a_change_of_the_meter(
    streaming: DeployedStack, user: Caller
) -> None:
    alice = user("alice", ALLOW)
    streaming.quota()
    call(alice, 1200)
    streaming.metered()
    stack = DeployedStack.of(streaming.aws, Metering="cloudwatch")
    assert stack.told() == []
    assert is_refused(lambda: call(alice))


# The stack


def test_two_stacks_meter_one_log_group_without_touching_each_others_people(
    logged: EmbeddedAws, user: Caller
) -> None:
    given = {"ExistingLogGroup": LOG_GROUP, "Metering": "stream"}
    one, two = DeployedStack.of(logged, "one", **given), DeployedStack.of(logged, "two", **given)
    one.quota()
    call(user("alice", ALLOW), 1200)
    logged.settle()
    assert (one.denied(), two.denied()) == ({"alice"}, set())


def test_deleting_the_stack_releases_who_is_blocked_and_leaves_nothing_of_it(
    streaming: DeployedStack, user: Caller
) -> None:
    aws, alice = streaming.aws, user("alice", ALLOW)
    streaming.quota()
    call(alice, 1200)
    streaming.metered()
    aws.delete(streaming.name)
    call(alice)
    assert aws.client("iam").list_policies(Scope="Local")["Policies"] == []
    assert aws.client("iam").list_roles()["Roles"] == []
    assert aws.client("lambda").list_functions()["Functions"] == []
    assert aws.client("scheduler").list_schedules()["Schedules"] == []
    assert aws.client("dynamodb").list_tables()["TableNames"] == []
    assert aws.client("logs").describe_log_groups()["logGroups"] == []
    assert aws.client("sqs").list_queues().get("QueueUrls", []) == []
