"""What the doctor reads of a deployment and of IAM, on moto; on a stub what moto cannot say."""

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from quota_enforcer.aws.account.regions import enabled_regions
from quota_enforcer.aws.account.stack import StackParts, server_time
from quota_enforcer.aws.cloudwatch.alarms import alarms
from quota_enforcer.aws.functions.triggers import FunctionState, mapping_state, schedule
from quota_enforcer.aws.iam.identities import IamIdentities
from quota_enforcer.aws.messaging.queues import waiting
from quota_enforcer.aws.messaging.subscriptions import listeners
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.doctor.probe import StackPart
from quota_enforcer.doctor.rules.coverage import Entity
from quota_enforcer.doctor.rules.machinery import FunctionFound, ScheduleFound
from stubbed import stubbed

UUID = "0b3dc3a1-7f3a-4c1e-9c1a-0123456789ab"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
GROUP = "/bedrock-quota/one/invocations"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
EMPTY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*",
                                                            "Resource": "*"}]})  # fmt: skip


@pytest.fixture
def session(mocked_aws: None, session: boto3.Session) -> boto3.Session:  # noqa: ARG001
    """An empty account of moto's."""
    return session


class TestStackParts:
    def test_the_parameters_in_force(self) -> None:
        stack = {"StackName": "one", "CreationTime": NOW, "StackStatus": "CREATE_COMPLETE"}
        given = [{"ParameterKey": "Mode", "ParameterValue": "observe"}]
        answer = {"Stacks": [stack | {"Parameters": given}]}
        client = stubbed("cloudformation", "describe_stacks", answer, StackName="one")
        assert StackParts(client, "one").parameters() == {"Mode": "observe"}

    def test_all_pages_of_a_large_stack(self) -> None:
        client = boto3.Session("t", "t", region_name="us-east-1").client("cloudformation")
        stubber = Stubber(client)
        for token, names in ((None, ("A", "B")), ("2", ("C",))):
            listed = [
                {
                    "LogicalResourceId": name,
                    "PhysicalResourceId": f"{name}-1",
                    "ResourceType": "AWS::SNS::Topic",
                    "LastUpdatedTimestamp": NOW,
                    "ResourceStatus": "CREATE_COMPLETE",
                }
                for name in names
            ]
            answer: Any = {"StackResourceSummaries": listed}
            asked = {"StackName": "one"} | ({"NextToken": token} if token else {})
            more = {} if token else {"NextToken": "2"}
            stubber.add_response("list_stack_resources", answer | more, asked)
        with stubber:
            found = StackParts(client, "one").parts()
        assert found["C"] == StackPart("AWS::SNS::Topic", "C-1")
        assert list(found) == ["A", "B", "C"]


class TestAlarms:
    def test_state_words_and_whether_it_tells(self, session: boto3.Session) -> None:
        client = session.client("cloudwatch")
        for name, actions in (("on", ["arn:aws:sns:us-east-1:123456789012:t"]), ("silent", [])):
            client.put_metric_alarm(
                AlarmName=name, AlarmDescription="Do this.", Namespace="x", MetricName="y",
                Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
                ComparisonOperator="GreaterThanThreshold", AlarmActions=actions,
            )  # fmt: skip
        client.set_alarm_state(AlarmName="on", StateValue="ALARM", StateReason="3 > 1")
        found = alarms(client, ["on", "silent", "gone"])
        assert found.keys() == {"on", "silent"}
        assert (found["on"].state, found["on"].reason) == ("ALARM", "3 > 1")
        assert (found["on"].description, found["on"].tells) == ("Do this.", True)
        assert not found["silent"].tells

    def test_no_names_ask_for_none(self, session: boto3.Session) -> None:
        """DescribeAlarms without names would list all."""
        client = session.client("cloudwatch")
        client.put_metric_alarm(
            AlarmName="theirs", Namespace="x", MetricName="y", Statistic="Sum", Period=60,
            EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
        assert alarms(client, []) == {}


class TestTriggers:
    def test_a_schedule_its_state_and_its_target(self, session: boto3.Session) -> None:
        client = session.client("scheduler")
        target = "arn:aws:lambda:us-east-1:123456789012:function:f"
        client.create_schedule(
            Name="tick", ScheduleExpression="rate(5 minutes)", State="DISABLED",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": target, "RoleArn": "arn:aws:iam::123456789012:role/r"},
        )  # fmt: skip
        assert schedule(client, "tick") == ScheduleFound(False, target)
        assert schedule(client, "gone") is None

    def test_an_event_source_and_one_that_is_gone(self) -> None:
        answer = {"UUID": UUID, "State": "Disabled"}
        client = stubbed("lambda", "get_event_source_mapping", answer, UUID=UUID)
        assert mapping_state(client, UUID) == "Disabled"
        gone = {"error": "ResourceNotFoundException"}
        assert mapping_state(stubbed("lambda", "get_event_source_mapping", gone), UUID) == ""

    def test_a_functions_state_and_its_own_limit(self) -> None:
        client = boto3.Session("t", "t", region_name="us-east-1").client("lambda")
        stubber = Stubber(client)
        asked = {"FunctionName": "meter"}
        configured: Any = {"State": "Failed", "LastUpdateStatus": "Successful"}
        stubber.add_response("get_function_configuration", configured, asked)
        limit: Any = {"ReservedConcurrentExecutions": 0}
        stubber.add_response("get_function_concurrency", limit, asked)
        with stubber:
            found = FunctionState(client).found("meter")
        assert found == FunctionFound("meter", "Failed", "Successful", 0)

    @pytest.mark.parametrize(
        ("statement", "allowed"),
        [
            ({"Effect": "Allow", "Principal": {"Service": "logs.amazonaws.com"}}, True),
            ({"Effect": "Deny", "Principal": {"Service": "logs.amazonaws.com"}}, False),
            ({"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}}, False),
            ({"Effect": "Allow", "Principal": "*"}, False),
        ],
    )
    def test_whether_logs_may_invoke_it(self, statement: dict[str, Any], *, allowed: bool) -> None:
        policy = {"Policy": json.dumps({"Statement": [statement]})}
        client = stubbed("lambda", "get_policy", policy, FunctionName="meter")
        assert FunctionState(client).logs_may_invoke("meter") is allowed

    def test_a_function_without_a_policy_lets_nobody(self) -> None:
        client = stubbed("lambda", "get_policy", {"error": "ResourceNotFoundException"})
        assert not FunctionState(client).logs_may_invoke("meter")


def test_a_queue_counts_also_what_is_being_read(session: boto3.Session) -> None:
    client = session.client("sqs")
    url = client.create_queue(QueueName="letters")["QueueUrl"]
    for body in ("one", "two"):
        client.send_message(QueueUrl=url, MessageBody=body)
    client.receive_message(QueueUrl=url)
    assert waiting(client, url) == 2


def test_who_listens_and_who_has_yet_to_confirm() -> None:
    subscription = {"TopicArn": "arn:t", "Protocol": "email", "Owner": "1"}
    answer = {
        "Subscriptions": [
            subscription | {"SubscriptionArn": "arn:t:1", "Endpoint": "a@example.com"},
            subscription | {"SubscriptionArn": "PendingConfirmation", "Endpoint": "b@example.com"},
        ]
    }
    client = stubbed("sns", "list_subscriptions_by_topic", answer, TopicArn="arn:t")
    found = listeners(client, "arn:t")
    assert (found.confirmed, found.pending) == (1, ("b@example.com",))


class TestIdentities:
    def test_paths_and_policies_of_users_and_roles(self, session: boto3.Session) -> None:
        iam = session.client("iam")
        iam.create_user(UserName="alice", Path="/break-glass/")
        iam.create_role(RoleName="ci", AssumeRolePolicyDocument=TRUST)
        arn = iam.create_policy(PolicyName="p", PolicyDocument=EMPTY)["Policy"]["Arn"]
        iam.attach_role_policy(RoleName="ci", PolicyArn=arn)
        assert IamIdentities(iam).all() == {
            Principal(Kind.USER, "alice"): Entity("/break-glass/"),
            Principal(Kind.ROLE, "ci"): Entity("/", frozenset({arn})),
        }

    def test_who_may_do_the_same_has_the_same_rest(self, session: boto3.Session) -> None:
        iam = session.client("iam")
        iam.create_group(GroupName="developers")
        for name in ("plain", "grouped", "grouped2", "own", "own2", "other"):
            iam.create_user(UserName=name)
        for name in ("grouped", "grouped2"):
            iam.add_user_to_group(GroupName="developers", UserName=name)
        for name, action in (("own", "s3:List*"), ("own2", "s3:List*"), ("other", "s3:Get*")):
            document = EMPTY.replace('"Action": "*"', f'"Action": "{action}"')
            iam.put_user_policy(UserName=name, PolicyName=f"of-{name}", PolicyDocument=document)
        rests = {who.name: entity.rest for who, entity in IamIdentities(iam).all().items()}
        assert rests["plain"] == ""
        assert rests["grouped"] == rests["grouped2"]
        assert rests["own"] == rests["own2"]
        assert len(set(rests.values())) == 4

    def test_a_boundary_is_part_of_it(self) -> None:
        bounded = {"PermissionsBoundary": {"PermissionsBoundaryArn": "arn:aws:iam::aws:policy/b"}}
        one = {"Path": "/", "AssumeRolePolicyDocument": TRUST}
        roles = [one | {"RoleName": "a"}, one | {"RoleName": "b"} | bounded]
        client = stubbed(
            "iam",
            "get_account_authorization_details",
            {"UserDetailList": [], "RoleDetailList": roles},
            Filter=["User", "Role"],
            MaxItems=1000,
        )
        plain, other = IamIdentities(client).all().values()
        assert plain.rest != other.rest

    def test_names_of_users_and_roles_spelled_as_iam_has_them(self, session: boto3.Session) -> None:
        iam = session.client("iam")
        iam.create_user(UserName="alice", Path="/people/")
        iam.create_role(RoleName="ci", AssumeRolePolicyDocument=TRUST)
        found = IamIdentities(iam)
        several = {text: found.has(Principal.parse(text)) for text in (
            "user/alice", "user/ci", "role/ci", "role/alice", "user/alcie"
        )}  # fmt: skip
        assert [text for text, there in several.items() if there] == ["user/alice", "role/ci"]
        assert found.names(Kind.USER) == {Principal(Kind.USER, "alice")}
        assert found.names(Kind.ROLE) == {Principal(Kind.ROLE, "ci")}

    def test_iam_finds_a_user_in_any_case_and_the_log_has_one(self) -> None:
        user = {"UserName": "Alice", "UserId": "A" * 16, "Path": "/", "CreateDate": NOW,
                "Arn": "arn:aws:iam::123456789012:user/Alice"}  # fmt: skip
        client = stubbed("iam", "get_user", {"User": user}, UserName="alice")
        assert not IamIdentities(client).has(Principal(Kind.USER, "alice"))

    def test_the_accounts_own_slots_and_else_awss_defaults(self) -> None:
        summary = {"SummaryMap": {"AttachedPoliciesPerUserQuota": 15}}
        client = stubbed("iam", "get_account_summary", summary)
        assert IamIdentities(client).slots() == {Kind.USER: 15, Kind.ROLE: 20}


def test_only_enabled_regions_are_asked_for() -> None:
    answer = {"Regions": [{"RegionName": "us-east-1"}, {"RegionName": "ap-east-1"}]}
    wanted = ["ENABLED", "ENABLED_BY_DEFAULT"]
    client = stubbed("account", "list_regions", answer, RegionOptStatusContains=wanted)
    assert enabled_regions(client) == ["ap-east-1", "us-east-1"]


def test_awss_time_is_the_date_of_its_answer() -> None:
    client = stubbed("sts", "get_caller_identity", {
        "Account": "123456789012",
        "ResponseMetadata": {"HTTPHeaders": {"date": "Tue, 24 Nov 2026 12:00:00 GMT"}},
    })  # fmt: skip
    assert server_time(client) == NOW
