"""The template says what the code expects, and reads well to AWS's own linters."""

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from quota_enforcer.aws.ledger_schema import EXPIRES, LEDGER_SCHEMA
from quota_enforcer.aws.quota_table import QUOTA_SCHEMA
from quota_enforcer.core.policies.names import GATES
from quota_enforcer.handlers.events import SweepRequest, read_event
from quota_enforcer.local.template import transformed
from template_source import (
    PARAMETERS,
    RESOURCES,
    SOURCE,
    TEMPLATE,
    TEXT,
    of_type,
    properties,
)
from template_values import LEAST, MOST, Deployed

ONLY_WHERE_ASKED_FOR = {
    "AuthorFunction",
    "AuthorLogGroup",
    "AuthorRole",
    "NoticeSubscription",
    *(f"DenyModelScope{number}Policy" for number in range(1, 6)),
}


def lint(path: Path) -> str:
    command = [str(Path(sys.executable).with_name("cfn-lint")), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout + done.stderr


class TestLint:
    def test_the_source_has_no_finding(self) -> None:
        assert lint(TEMPLATE) == ""

    def test_what_the_sam_transform_makes_of_it_has_none_either(self, tmp_path: Path) -> None:
        """Only there does the linter see every IAM action and every generated resource."""
        path = tmp_path / "transformed.json"
        path.write_text(json.dumps(transformed(TEMPLATE)), encoding="utf-8")
        assert lint(path) == ""

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
        run = properties("EnforcerFunction")["EventInvokeConfig"]
        assert {name: run[name] for name in policy} == policy

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


class TestTwoStacks:
    NAMES = ("LogGroupName", "ManagedPolicyName", "RoleName", "QueueName", "TopicName", "TableName")

    def test_every_name_that_is_given_names_the_stack(self) -> None:
        for resource, declared in RESOURCES.items():
            for name in self.NAMES:
                given = declared["Properties"].get(name)
                if given and declared["Type"] != "AWS::Logs::MetricFilter" and resource != "Setup":
                    assert "${AWS::StackName}" in given["Fn::Sub"], resource


class TestParameters:
    def test_what_is_not_asked_for_is_not_made(self) -> None:
        assert {name for name in RESOURCES if not LEAST.has(name)} == ONLY_WHERE_ASKED_FOR
        assert [name for name in RESOURCES if not MOST.has(name)] == []

    def test_nothing_refers_to_what_is_not_made(self) -> None:
        """The look-up of a resource that is not there would fail."""
        for name in set(RESOURCES) - ONLY_WHERE_ASKED_FOR:
            LEAST.properties(name)
        for gates in range(GATES + 1):
            Deployed(Gates=str(gates)).properties("EnforcerFunction")


class TestAlarms:
    @pytest.mark.parametrize("alarm", of_type("AWS::CloudWatch::Alarm"))
    def test_it_tells_the_notice_topic_in_words(self, alarm: str) -> None:
        assert properties(alarm)["AlarmActions"] == [{"Ref": "NoticeTopic"}]
        assert "${AWS::StackName}" in properties(alarm)["AlarmDescription"]["Fn::Sub"]

    def test_the_author_needs_none_of_its_own(self) -> None:
        """The enforcer waits for it and fails with it."""
        watched = {
            dimension["Value"].get("Ref")
            for alarm in of_type("AWS::CloudWatch::Alarm")
            for dimension in properties(alarm)["Dimensions"]
            if isinstance(dimension["Value"], dict)
        }
        assert "AuthorFunction" not in watched
        assert "EventInvokeConfig" not in properties("AuthorFunction")

    def test_silence_is_an_alarm_even_without_any_data(self) -> None:
        assert properties("EnforcerSilent")["TreatMissingData"] == "breaching"

    def test_the_topic_takes_what_cloudwatch_publishes(self) -> None:
        """CloudWatch cannot use AWS's own SNS key."""
        assert "KmsMasterKeyId" not in properties("NoticeTopic")


def test_the_outputs_are_what_the_command_line_looks_for() -> None:
    assert set(SOURCE["Outputs"]) == {
        "AuthorFunction",
        "DenyAllPolicy",
        "EnforcerFunction",
        "InvocationLogGroup",
        "LedgerTable",
        "Mode",
        "NoticeTopic",
        "QuotaTable",
        "TimeZone",
    }
