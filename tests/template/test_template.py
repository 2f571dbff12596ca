"""The template says what the code expects, and reads well to AWS's own linters."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from quota_enforcer.aws.dynamodb.ledger.schema import EXPIRES, LEDGER_SCHEMA
from quota_enforcer.aws.dynamodb.quota_table import QUOTA_SCHEMA
from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.policies.names import GATES
from quota_enforcer.core.usage.place import Place
from quota_enforcer.lambdas.enforcer.events import SweepRequest, read_event
from quota_enforcer.meter.settings import MeterSettings
from quota_enforcer.satellites.intake import HomeStack
from quota_enforcer.satellites.names import NO_SATELLITES, SATELLITES
from template_source import (
    PARAMETERS,
    RESOURCES,
    SOURCE,
    TEXT,
    of_type,
    properties,
)
from template_values import LEAST, MOST, PSEUDO, SIGNED_WITH, Deployed

UNATTRIBUTED = "Unattributed"
FILTERS = {
    f"{counter}Filter"
    for counter in (
        "Invocations",
        "InputTokens",
        "OutputTokens",
        "CacheReadTokens",
        "CacheWriteTokens",
        "IncompleteInvocations",
        "AnyIncomplete",
    )
}
ONLY_WHERE_ASKED_FOR = {
    "AuthorFunction",
    "AuthorLogGroup",
    "AuthorRole",
    "BudgetDenyPolicy",
    "BudgetOfBedrock",
    "BudgetRole",
    "BudgetSpent",
    "NoticeSubscription",
    "MeterByUrlPermission",
    "MeterUrl",
    "MeterUrlPermission",
    "SatelliteRefused",
    "SatelliteUnreachable",
    "SatelliteUnread",
    *(name for name in RESOURCES if name.startswith(("Teams", "Webhook"))),
    *(f"DenyModelScope{number}Policy" for number in range(1, 6)),
    *FILTERS,
}
ONLY_TO_STREAM = {"InvocationSubscription", "InvocationSubscriptionPermission"}


class TestLint:
    def test_the_source_has_no_finding(self, findings: Mapping[str, list[Any]]) -> None:
        assert findings["source"] == []

    def test_what_the_sam_transform_makes_of_it_has_none_either(
        self, findings: Mapping[str, list[Any]]
    ) -> None:
        """Only there does the linter see every IAM action and every generated resource.

        It does not tell again in the source what it finds there in a resource that SAM leaves as
        it is.
        """
        assert findings["transformed"] == []

    def test_it_works_in_every_partition(self) -> None:
        assert "arn:aws:" not in TEXT

    def test_every_parameter_has_a_description_and_a_default(self) -> None:
        for name, parameter in PARAMETERS.items():
            assert {"Description", "Default"} <= set(parameter), name

    def test_every_parameter_stands_in_one_group(self) -> None:
        groups = SOURCE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        grouped = [name for group in groups for name in group["Parameters"]]
        assert sorted(grouped) == sorted(PARAMETERS)


class TestTables:
    @pytest.mark.parametrize(
        ("table", "schema"), [("QuotaTable", QUOTA_SCHEMA), ("LedgerTable", LEDGER_SCHEMA)]
    )
    def test_keys_and_indexes_are_those_of_the_code(
        self, table: str, schema: Mapping[str, Any]
    ) -> None:
        declared = properties(table)
        assert {name: declared.get(name) for name in schema} == dict(schema)
        assert "GlobalSecondaryIndexes" not in set(declared) - set(schema)

    def test_the_ledger_forgets_by_the_attribute_that_the_code_writes(self) -> None:
        ttl = properties("LedgerTable")["TimeToLiveSpecification"]
        assert ttl == {"AttributeName": EXPIRES, "Enabled": True}

    @pytest.mark.parametrize("table", of_type("AWS::DynamoDB::Table"))
    def test_tables_are_encrypted_restorable_and_paid_by_use(self, table: str) -> None:
        declared = properties(table)
        assert declared["SSESpecification"]["SSEEnabled"] is True
        assert declared["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert declared["BillingMode"] == "PAY_PER_REQUEST"


class TestEdits:
    """The quota table's stream wakes the enforcer."""

    def test_the_mapping_leads_from_the_table_to_the_enforcer(self) -> None:
        mapping = properties("QuotaEdits")
        assert mapping["EventSourceArn"] == {"Fn::GetAtt": ["QuotaTable", "StreamArn"]}
        assert mapping["FunctionName"] == {"Ref": "EnforcerFunction"}
        assert properties("QuotaTable")["StreamSpecification"] == {"StreamViewType": "KEYS_ONLY"}

    def test_an_edit_made_while_the_mapping_is_made_is_not_lost(self) -> None:
        """To see one again does no harm."""
        assert properties("QuotaEdits")["StartingPosition"] == "TRIM_HORIZON"

    def test_an_edit_waits_for_no_others(self) -> None:
        assert "MaximumBatchingWindowInSeconds" not in properties("QuotaEdits")

    def test_what_fails_is_tried_again_in_bounds_and_then_heard_of(self) -> None:
        mapping = properties("QuotaEdits")
        assert 1 <= mapping["MaximumRetryAttempts"] <= 5
        assert 60 <= mapping["MaximumRecordAgeInSeconds"] <= 3600
        assert mapping["BisectBatchOnFunctionError"] is True
        queue = mapping["DestinationConfig"]["OnFailure"]["Destination"]
        assert queue == {"Fn::GetAtt": ["EnforcerDeadLetters", "Arn"]}
        (dimension,) = properties("EnforcerTicksLost")["Dimensions"]
        assert dimension["Value"] == {"Fn::GetAtt": ["EnforcerDeadLetters", "QueueName"]}


class TestSchedule:
    def target(self) -> dict[str, Any]:
        found: dict[str, Any] = properties("EnforcerSchedule")["Target"]
        return found

    def test_its_input_is_a_tick_that_the_enforcer_understands(self) -> None:
        tick = datetime(2026, 12, 1, 9, 5, tzinfo=UTC)
        text = self.target()["Input"].replace(
            "<aws.scheduler.scheduled-time>", tick.strftime("%Y-%m-%dT%H:%M:%SZ")
        )
        assert read_event(json.loads(text), tick) == SweepRequest(tick)

    def test_it_is_delivered_once_more_at_most_and_not_when_stale(self) -> None:
        policy = {"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 120}
        assert self.target()["RetryPolicy"] == policy
        assert properties("EnforcerFunction")["EventInvokeConfig"]["MaximumRetryAttempts"] == 1

    def test_a_wake_waits_for_room_as_long_as_the_batch_it_is_of(self) -> None:
        """In a new account ten functions run at once; a tick that waited is dropped by itself."""
        waits = "MaximumEventAgeInSeconds"
        meter, enforcer = (
            properties(function)["EventInvokeConfig"][waits]
            for function in ("MeterFunction", "EnforcerFunction")
        )
        assert enforcer == meter

    def test_what_is_lost_goes_to_the_dead_letters(self) -> None:
        queue = {"Fn::GetAtt": ["EnforcerDeadLetters", "Arn"]}
        assert self.target()["DeadLetterConfig"] == {"Arn": queue}
        run = properties("EnforcerFunction")["EventInvokeConfig"]
        assert run["DestinationConfig"]["OnFailure"]["Destination"] == queue

    @pytest.mark.parametrize("minutes", PARAMETERS["SweepMinutes"]["AllowedValues"])
    def test_every_interval_divides_the_hour(self, minutes: int) -> None:
        assert 60 % minutes == 0

    @pytest.mark.parametrize("minutes", PARAMETERS["SweepMinutes"]["AllowedValues"])
    def test_three_missed_sweeps_and_a_quarter_of_an_hour_are_silence(self, minutes: int) -> None:
        seconds = SOURCE["Mappings"]["Silence"]["Seconds"][str(minutes)]
        assert seconds == max(3 * 60 * minutes, 900)


class TestSubscription:
    """With Metering stream, CloudWatch Logs hands every record to the meter."""

    def test_it_leaves_nothing_out(self) -> None:
        """The meter itself says what it skips, and why."""
        assert LEAST.properties("InvocationSubscription") == {
            "LogGroupName": "InvocationLogGroup",
            "FilterPattern": "",
            "DestinationArn": "MeterFunction.Arn",
        }

    @pytest.mark.parametrize(
        ("given", "name"), [({}, "InvocationLogGroup"), ({"ExistingLogGroup": "/x/y"}, "/x/y")]
    )
    def test_only_this_log_group_of_this_account_may_invoke_the_meter(
        self, given: dict[str, str], name: str
    ) -> None:
        """Whoever else could, could forge usage."""
        given = {**given, "Satellites": "regions"}
        made = [each for each in of_type("AWS::Lambda::Permission") if Deployed(**given).has(each)]
        assert made == ["InvocationSubscriptionPermission"]
        permission = Deployed(**given).properties("InvocationSubscriptionPermission")
        assert permission == {
            "FunctionName": "MeterFunction",
            "Action": "lambda:InvokeFunction",
            "Principal": "logs.amazonaws.com",
            "SourceAccount": "123456789012",
            "SourceArn": f"arn:aws:logs:us-east-1:123456789012:log-group:{name}:*",
        }

    def test_it_comes_after_the_permission(self) -> None:
        """Which CloudWatch Logs checks when it is made."""
        needed = RESOURCES["InvocationSubscription"]["DependsOn"]
        assert "InvocationSubscriptionPermission" in needed

    def test_a_batch_is_tried_again_for_hours_and_never_copied_to_a_queue(self) -> None:
        """It may hold prompts and answers."""
        assert properties("MeterFunction")["EventInvokeConfig"] == {
            "MaximumRetryAttempts": 2,
            "MaximumEventAgeInSeconds": 21600,
        }
        assert "DeadLetterQueue" not in properties("MeterFunction")


class TestRecounts:
    def test_the_hours_asked_for_are_recounted_every_hour_once_they_are_closed(self) -> None:
        """A closed hour is one that ended ten minutes ago."""
        schedule = properties("MeterSchedule")
        assert schedule["ScheduleExpression"] == "cron(15 * * * ? *)"
        assert json.loads(schedule["Target"]["Input"]) == {"action": "recount"}

    @pytest.mark.parametrize("schedule", of_type("AWS::Scheduler::Schedule"))
    def test_a_schedules_role_may_invoke_its_target_only(self, schedule: str) -> None:
        target = properties(schedule)["Target"]
        role = target["RoleArn"]["Fn::GetAtt"][0]
        (invoking,) = (
            each["Resource"]
            for each in MOST.policy(role)["Statement"]
            if each["Action"] == "lambda:InvokeFunction"
        )
        assert invoking == MOST.value(target["Arn"])


class TestDeadLetters:
    @pytest.mark.parametrize("queue", of_type("AWS::SQS::Queue"))
    def test_they_are_encrypted(self, queue: str) -> None:
        assert properties(queue)["SqsManagedSseEnabled"] is True

    def test_those_of_the_meter_stay_as_long_as_a_queue_can_keep_them(self) -> None:
        fortnight = 14 * 24 * 3600
        assert properties("MeterDeadLetters")["MessageRetentionPeriod"] == fortnight


class TestTwoStacks:
    NAMES = ("LogGroupName", "ManagedPolicyName", "RoleName", "QueueName", "TopicName", "TableName")

    def test_every_name_that_is_given_names_the_stack(self) -> None:
        for resource, declared in RESOURCES.items():
            for name in self.NAMES:
                given = declared["Properties"].get(name)
                filters = ("AWS::Logs::MetricFilter", "AWS::Logs::SubscriptionFilter")
                if given and declared["Type"] not in filters and resource != "Setup":
                    assert "${AWS::StackName}" in given["Fn::Sub"], resource


class TestParameters:
    def test_what_is_not_asked_for_is_not_made(self) -> None:
        assert {name for name in RESOURCES if not LEAST.has(name)} == ONLY_WHERE_ASKED_FOR
        assert {name for name in RESOURCES if not MOST.has(name)} == ONLY_TO_STREAM

    def test_only_what_the_chosen_meter_reads_is_made(self) -> None:
        """The meter function stays with either: it recounts hours after a change."""
        for metering, made, absent in (
            ("stream", ONLY_TO_STREAM, FILTERS),
            ("cloudwatch", FILTERS, ONLY_TO_STREAM),
        ):
            deployed = Deployed(Metering=metering)
            assert all(map(deployed.has, {*made, "MeterFunction", "MeterSchedule"}))
            assert not any(map(deployed.has, absent))
            assert deployed.environment("EnforcerFunction")["METERING"] == metering

    def test_the_meters_are_those_of_the_code(self) -> None:
        assert PARAMETERS["Metering"]["AllowedValues"] == sorted(Metering, reverse=True)
        assert PARAMETERS["Metering"]["Default"] == Metering.STREAM

    def test_nothing_refers_to_what_is_not_made(self) -> None:
        """The look-up of a resource that is not there would fail."""
        for name in set(RESOURCES) - ONLY_WHERE_ASKED_FOR:
            LEAST.properties(name)
        for name in set(RESOURCES) - ONLY_TO_STREAM:
            MOST.properties(name)
        for gates in range(GATES + 1):
            Deployed(Gates=str(gates)).properties("EnforcerFunction")


class TestSatellites:
    URL = ("MeterUrl",)
    MEMBERS = ("MeterUrlPermission", "MeterByUrlPermission")

    def test_the_meter_has_a_url_only_where_there_are_satellites_and_iam_authorises_each_call(
        self,
    ) -> None:
        given = Deployed(Satellites="regions")
        assert not any(map(LEAST.has, (*self.URL, *self.MEMBERS)))
        assert (given.has("MeterUrl"), any(map(given.has, self.MEMBERS))) == (True, False)
        assert given.properties("MeterUrl") == {
            "AuthType": "AWS_IAM", "TargetFunctionArn": "MeterFunction",
        }  # fmt: skip
        assert SOURCE["Outputs"]["SatelliteUrl"]["Condition"] == "HasSatellites"

    def test_only_accounts_of_the_organisation_may_post_and_only_by_the_url(self) -> None:
        """Elsewhere somebody who invokes it directly could say to be anybody."""
        given = Deployed(Satellites="o-exampleorgid")
        whom = {
            "FunctionName": "MeterFunction",
            "Principal": "*",
            "PrincipalOrgID": "o-exampleorgid",
        }
        assert [given.properties(each) for each in self.MEMBERS] == [
            {**whom, "Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "AWS_IAM"},
            {**whom, "Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
        ]

    @pytest.mark.parametrize(
        ("value", "allowed"),
        [
            ("off", True), ("regions", True), ("o-exampleorgid", True), ("o-a1b2c3d4e5", True),
            ("", False), ("on", False), ("o-short", False), ("o-EXAMPLEORGID", False),
            ("111122223333", False), ("*", False), ("offregions", False),
        ],
    )  # fmt: skip
    def test_the_parameter_is_what_the_code_understands(self, value: str, *, allowed: bool) -> None:
        pattern = PARAMETERS["Satellites"]["AllowedPattern"]
        assert (re.fullmatch(pattern, value) is not None) == allowed
        assert (SATELLITES.fullmatch(value) is not None) == allowed
        assert PARAMETERS["Satellites"]["Default"] == NO_SATELLITES

    def test_the_meter_knows_its_home(self) -> None:
        settings = MeterSettings.from_environment(
            Deployed(Satellites="o-exampleorgid").environment("MeterFunction")
            | {"AWS_REGION": "us-east-1"}
        )
        assert settings.home == HomeStack(
            "bedrock-quota", PSEUDO["AWS::StackId"], Place("123456789012", "us-east-1"),
            "o-exampleorgid",
        )  # fmt: skip
        assert MeterSettings.from_environment(LEAST.environment("MeterFunction")).home is None


class TestSelfService:
    MADE = ("MeFunction", "MeLogGroup", "MeRole")

    def test_its_url_answers_only_what_iam_has_authorised(self) -> None:
        assert properties("MeFunction")["FunctionUrlConfig"] == {"AuthType": "AWS_IAM"}

    def test_the_template_lets_nobody_ask(self) -> None:
        """Admins do; a policy of the stack that others attach would keep it from being deleted."""
        assert "MeFunction" not in {
            properties(each)["FunctionName"]["Ref"] for each in of_type("AWS::Lambda::Permission")
        }
        assert "MeFunction" not in {
            properties(each)["TargetFunctionArn"]["Ref"] for each in of_type("AWS::Lambda::Url")
        }

    def test_it_can_be_left_out_where_a_region_has_no_function_urls(self) -> None:
        without = Deployed(SelfService="false")
        assert all(map(LEAST.has, self.MADE))
        assert not any(map(without.has, self.MADE))
        for output in ("MeFunction", "MeUrl"):
            assert SOURCE["Outputs"][output]["Condition"] == "HasSelfService"


def own_metric(name: str, service: str) -> dict[str, Any]:
    """One that a function of the stack measures of itself."""
    return {
        "Namespace": "BedrockQuota/bedrock-quota/Enforcer",
        "MetricName": name,
        "Dimensions": [{"Name": "service", "Value": service}],
    }


class TestAlarms:
    @pytest.mark.parametrize("alarm", of_type("AWS::CloudWatch::Alarm"))
    def test_it_tells_the_notice_topic_in_words(self, alarm: str) -> None:
        assert properties(alarm)["AlarmActions"] == [{"Ref": "NoticeTopic"}]
        assert "${AWS::StackName}" in properties(alarm)["AlarmDescription"]["Fn::Sub"]

    def test_the_author_needs_none_of_its_own(self) -> None:
        """The enforcer waits for it and fails with it."""
        watched = json.dumps([properties(alarm) for alarm in of_type("AWS::CloudWatch::Alarm")])
        assert json.dumps({"Ref": "EnforcerFunction"}) in watched
        assert "AuthorFunction" not in watched
        assert "EventInvokeConfig" not in properties("AuthorFunction")

    @pytest.mark.parametrize(
        ("metering", "service"), [("stream", "meter"), ("cloudwatch", "enforcer")]
    )
    def test_usage_without_limit_is_heard_of_from_the_meter_at_work(
        self, metering: str, service: str
    ) -> None:
        alarm = Deployed(Metering=metering).properties("UsageWithoutLimit")
        assert alarm["Dimensions"] == [{"Name": "service", "Value": service}]
        assert alarm["MetricName"] == UNATTRIBUTED

    def test_calls_of_unknown_tokens_are_an_alarm_whichever_the_meter(self) -> None:
        """The stream meter counts them itself; the other has a metric filter without dimensions."""
        stream = Deployed(Metering="stream").properties("TokensUnknown")
        metrics = Deployed(Metering="cloudwatch").properties("TokensUnknown")
        wanted = own_metric("Incomplete", "meter")
        assert {name: stream[name] for name in wanted} == wanted
        of_filter = properties("AnyIncompleteFilter")["MetricTransformations"][0]["MetricName"]
        assert (metrics["Namespace"], metrics["MetricName"]) == (
            "BedrockQuota/bedrock-quota",
            of_filter,
        )
        assert "Dimensions" not in metrics
        assert {stream["Threshold"], metrics["Threshold"]} == {1}

    @pytest.mark.parametrize(
        ("alarm", "namespace", "metric"),
        [
            ("MeterFailing", "AWS/Lambda", "Errors"),
            ("MeterDropping", "AWS/Lambda", "AsyncEventsDropped"),
            ("MeterDeadLettersWaiting", "AWS/SQS", "ApproximateNumberOfMessagesVisible"),
            ("RecordsQuarantined", "BedrockQuota/bedrock-quota/Enforcer", "Quarantined"),
        ],
    )
    def test_a_call_that_the_meter_may_have_missed_is_an_alarm_that_says_what_to_do(
        self, alarm: str, namespace: str, metric: str
    ) -> None:
        declared = LEAST.properties(alarm)
        assert (declared["Namespace"], declared["MetricName"]) == (namespace, metric)
        assert declared["Threshold"] == 1
        assert "quota-enforcer recount HOUR..HOUR --stack bedrock-quota" in " ".join(
            declared["AlarmDescription"].split()
        )

    def test_silence_is_an_alarm_even_without_any_data(self) -> None:
        assert properties("EnforcerSilent")["TreatMissingData"] == "breaching"
        silence, _ = LEAST.properties("EnforcerSilent")["Metrics"]
        assert silence["Expression"] == "FILL(sweeps, 0)"

    def test_silence_is_of_sweeps_since_wakes_come_without_any_schedule(self) -> None:
        """`test_enforcer` holds that no wake measures a duration."""
        _, sweeps = LEAST.properties("EnforcerSilent")["Metrics"]
        assert sweeps["MetricStat"]["Metric"] == own_metric("Duration", "enforcer")
        assert sweeps["MetricStat"]["Stat"] == "SampleCount"

    @pytest.mark.parametrize(
        ("metering", "metered"),
        [
            ("stream", own_metric("Counted", "meter")),
            (
                "cloudwatch",
                {
                    "Namespace": "AWS/Logs",
                    "MetricName": "IncomingLogEvents",
                    "Dimensions": [{"Name": "LogGroupName", "Value": "InvocationLogGroup"}],
                },
            ),
        ],
    )
    def test_calls_that_bedrock_answered_and_nobody_metered_are_an_alarm(
        self, metering: str, metered: Mapping[str, Any]
    ) -> None:
        """Somebody may have switched logging off, or removed the subscription."""
        alarm = Deployed(Metering=metering).properties("CallsNotMetered")
        metrics = {each["Id"]: each for each in alarm["Metrics"]}
        called = metrics["all"]["MetricStat"]
        assert called["Metric"] == {"Namespace": "AWS/Bedrock", "MetricName": "Invocations"}
        assert metrics["metered"]["MetricStat"] == called | {"Metric": metered}
        shown = [name for name, each in metrics.items() if each.get("ReturnData", True)]
        assert shown == ["missed"]
        assert metrics["missed"]["Expression"] == "IF(called > 0 AND seen == 0, 1, 0)"
        assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (1, 2)

    @pytest.mark.parametrize("metering", ["stream", "cloudwatch"])
    def test_calls_are_counted_where_there_is_no_count_of_all_models(self, metering: str) -> None:
        """By a query, of exactly the dimension ModelId: the calls stand under others again."""
        alarm = Deployed(Metering=metering).properties("CallsNotMetered")
        metrics = {each["Id"]: each for each in alarm["Metrics"]}
        assert metrics["called"]["Expression"] == "MAX([models, all])"
        query = metrics["models"]
        assert query["Expression"] == (
            'SELECT SUM(Invocations) FROM SCHEMA("AWS/Bedrock", ModelId)'
        )
        assert query["Period"] == metrics["all"]["MetricStat"]["Period"]
        queries = [each for each in metrics.values() if "SELECT" in each.get("Expression", "")]
        assert queries == [query]  # CloudWatch takes one in a request

    def test_calls_that_all_fail_are_seen_though_none_is_metered(self) -> None:
        """They are in the log with an error code: skipped by one meter, log events to the other."""
        stream, metrics = (
            {each["Id"]: each for each in Deployed(Metering=metering).properties(
                "CallsNotMetered")["Metrics"]}
            for metering in ("stream", "cloudwatch")
        )  # fmt: skip
        assert stream["seen"]["Expression"] == "MAX([metered, skipped, zero])"
        assert stream["skipped"]["MetricStat"]["Metric"] == own_metric("Skipped", "meter")
        assert metrics["seen"]["Expression"] == "MAX([metered, zero])"
        assert "skipped" not in metrics

    def test_use_of_mantle_is_an_alarm_at_whichever_level_it_is_counted(self) -> None:
        alarm = LEAST.properties("MantleUsed")
        (used,) = alarm["Metrics"]
        assert used["Expression"] == 'SELECT SUM(Inferences) FROM "AWS/BedrockMantle"'
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
        assert "policy lock --mantle" in alarm["AlarmDescription"]

    def test_calls_in_other_regions_are_an_alarm_of_what_the_meter_found(self) -> None:
        alarm = LEAST.properties("UsedElsewhere")
        wanted = own_metric("Elsewhere", "meter")
        assert {name: alarm[name] for name in wanted} == wanted
        assert "policy lock --region us-east-1" in alarm["AlarmDescription"]

    @pytest.mark.parametrize(
        ("alarm", "metric", "unknown"),
        [
            ("MeteringGap", "Unmetered", "notBreaching"),
            ("MeteredTooMuch", "Overmetered", "notBreaching"),
            ("MeterUnwired", "Unwired", "notBreaching"),
            ("MeterUnwatched", "Unseen", "breaching"),
        ],
    )
    def test_what_the_hourly_look_measures_is_an_alarm_and_no_look_is_one_too(
        self, alarm: str, metric: str, unknown: str
    ) -> None:
        made = LEAST.properties(alarm)
        wanted = own_metric(metric, "meter")
        assert {name: made[name] for name in wanted} == wanted
        assert (made["Threshold"], made["Period"]) == (1, 3600)
        assert made["TreatMissingData"] == unknown

    def test_a_batch_job_is_told_of_with_what_is_not_metered_and_the_lock(self) -> None:
        rule = LEAST.properties("BatchJobRan")
        assert rule["EventPattern"]["detail-type"] == ["Batch Inference Job State Change"]
        (target,) = rule["Targets"]
        transformer = target["InputTransformer"]
        assert set(re.findall(r"<(\w+)>", transformer["InputTemplate"])) == set(
            transformer["InputPathsMap"]
        )
        words = json.loads(transformer["InputTemplate"])
        assert "counts none of its tokens" in words
        assert "policy lock --batch" in words

    def test_an_hour_that_could_not_be_counted_again_is_an_alarm(self) -> None:
        alarm = LEAST.properties("RecountsRefused")
        refused = own_metric("Refused", "meter")
        assert {name: alarm[name] for name in refused} == refused

    @pytest.mark.parametrize("alarm", of_type("AWS::CloudWatch::Alarm"))
    def test_its_words_are_no_longer_than_cloudwatch_takes(self, alarm: str) -> None:
        assert len(MOST.properties(alarm)["AlarmDescription"]) <= 1024

    def test_the_topic_takes_what_cloudwatch_publishes(self) -> None:
        """CloudWatch cannot use AWS's own SNS key; a customer's key has a policy that lets it."""
        assert "KmsMasterKeyId" not in LEAST.properties("NoticeTopic")


def test_the_outputs_are_what_the_command_line_looks_for() -> None:
    assert set(SOURCE["Outputs"]) == {
        "AuthorFunction",
        "DenyAllPolicy",
        "EnforcerFunction",
        "InvocationLogGroup",
        "LedgerTable",
        "MeFunction",
        "MeUrl",
        "MeterFunction",
        "MeterRole",
        "Mode",
        "NoticeTopic",
        "QuotaTable",
        "SatelliteUrl",
        "TimeZone",
    }


def test_its_sections_are_those_that_it_lists_on_top() -> None:
    listed = re.findall(
        r"^# +(\d+)\. (.+?)(?:  .*)?$", TEXT.partition("Metadata:")[0], re.MULTILINE
    )
    assert re.findall(r"^ *# (\d+)\. (.+?) -+$", TEXT, re.MULTILINE) == listed
    assert [int(number) for number, _ in listed] == list(range(1, 20))


class TestWebhook:
    def test_neither_parameter_alone_makes_it_and_cloudformation_says_so(self) -> None:
        url, signed = {"WebhookUrl": "https://x.example"}, {"WebhookSecretArn": SIGNED_WITH}
        parts = [name for name in RESOURCES if name.startswith("Webhook")]
        for given in ({}, url, signed):
            assert not any(map(Deployed(**given).has, parts))
        assert all(map(Deployed(**url, **signed).has, parts))
        for name in ("WebhookIsSigned", "WebhookHasAnAddress"):
            rule = SOURCE["Rules"][name]
            for given, breaks in ((url, "WebhookIsSigned"), (signed, "WebhookHasAnAddress")):
                of = Deployed(**given)
                applies = of.value(rule["RuleCondition"])
                kept = all(of.value(each["Assert"]) for each in rule["Assertions"])
                assert (applies and not kept) == (name == breaks)

    @pytest.mark.parametrize(
        ("url", "taken"),
        [
            ("", True), ("https://hooks.example.com", True), ("https://h.example:8443/a?c=d", True),
            ("https://127.0.0.1:1/x", True), ("http://hooks.example.com", False),
            ("https://", False), ("https://user:pass@h.example/", False),
            ("https://h.example/a b", False), ("https://h.example/\n", False),
            ("ftp://h.example", False), ("hooks.example.com", False),
            ("https://h.example\\@evil.example", False),
        ],
    )  # fmt: skip
    def test_its_address_is_https_without_a_password(self, url: str, *, taken: bool) -> None:
        pattern = PARAMETERS["WebhookUrl"]["AllowedPattern"]
        assert bool(re.fullmatch(pattern, url)) == taken

    @pytest.mark.parametrize(
        ("arn", "taken"),
        [
            ("", True), (SIGNED_WITH, True), (f"{SIGNED_WITH}:*", False), ("*", False),
            (SIGNED_WITH.replace("secret:webhook-AbCdEf", "secret:a/b-AbCdEf"), True),
            (SIGNED_WITH.replace("secretsmanager", "ssm"), False),
        ],
    )  # fmt: skip
    def test_its_secret_is_one_secret(self, arn: str, *, taken: bool) -> None:
        pattern = PARAMETERS["WebhookSecretArn"]["AllowedPattern"]
        assert bool(re.fullmatch(pattern, arn)) == taken

    def test_nobody_but_the_topic_may_send_to_its_queue_by_the_queues_policy(self) -> None:
        (statement,) = MOST.properties("WebhookQueuePolicy")["PolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
        assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": "NoticeTopic"}}

    def test_no_secret_is_in_its_environment(self) -> None:
        told = MOST.environment("WebhookFunction")
        assert {name for name in told if not name.startswith("POWERTOOLS_")} == {
            "WEBHOOK_URL", "WEBHOOK_SECRET_ARN", "WEBHOOK_QUEUE"
        }  # fmt: skip
        assert told["WEBHOOK_SECRET_ARN"] == SIGNED_WITH
