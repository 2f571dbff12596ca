"""The promise: even with the code of all functions replaced, nobody would gain a permission.

By IAM's own decisions on the roles as deployed, with one gate and two model scopes.
"""

from functools import partial
from typing import TYPE_CHECKING

import pytest

from beginnings import Beginnings
from deployed_stack import ALLOW, call, is_refused
from embedded_account import a_user
from role_attempts import attaching, done, of_anybody, query
from role_scene import ANYTHING, Scene

if TYPE_CHECKING:
    from role_attempts import Attempts

ROLES = ("MeterRole", "EnforcerRole", "AuthorRole", "MeRole", "SetupRole")
LEASE = {"pk": {"S": "deployment"}, "sk": {"S": "lease#author"}}
STANDING = {"pk": {"S": "user/alice"}, "sk": {"S": "standing"}}


@pytest.fixture(scope="module")
def scene(shared_beginnings: Beginnings) -> Scene:
    """For all tests, since what they try is refused."""
    return shared_beginnings.of(Scene.of)


@pytest.mark.parametrize("role", ROLES)
def test_nothing_dangerous_can_be_done_with_a_functions_role(scene: Scene, role: str) -> None:
    attempts = of_anybody(scene, scene.taken(role), role)
    assert done(attempts) == []
    assert len(attempts) > 60


def test_the_enforcer_never_touches_reserved_break_glass_or_own_principals(scene: Scene) -> None:
    iam = scene.taken("EnforcerRole").client("iam")
    ours = [scene.physical(role) for role in ROLES]
    for arn in scene.denies:
        roles = ["rescue", "AWSReservedSSO_x", *ours]
        assert done(attaching(iam, "deny on", arn, users=["oncall"], roles=roles)) == []


def test_the_enforcer_writes_no_gate(scene: Scene) -> None:
    iam = scene.taken("EnforcerRole").client("iam")
    attempts: Attempts = {
        "gate": partial(iam.create_policy, **scene.new_gate),
        "version": partial(
            iam.create_policy_version, PolicyArn=scene.gate, PolicyDocument=ANYTHING
        ),
    }
    assert done(attempts) == []


def test_the_author_attaches_nothing_not_even_a_deny(scene: Scene) -> None:
    iam = scene.taken("AuthorRole").client("iam")
    for arn in scene.denies:
        assert done(attaching(iam, "deny on", arn, users=["alice"], roles=["ci"])) == []


def test_the_author_sees_and_writes_only_its_part_of_the_ledger(scene: Scene) -> None:
    dynamodb = scene.taken("AuthorRole").client("dynamodb")
    table = {"TableName": scene.stack.outputs["LedgerTable"]}
    intent = {"pk": {"S": "gates"}, "sk": {"S": "sso/alice"}}
    attempts: Attempts = {
        "everything": partial(dynamodb.scan, **table),
        "somebody's usage": partial(query, dynamodb, table["TableName"], "user/alice"),
        "a record": partial(dynamodb.get_item, Key=STANDING, **table),
        "another record": partial(dynamodb.put_item, Item=STANDING, **table),
        "no record": partial(dynamodb.delete_item, Key=STANDING, **table),
        "a record beside its lease": partial(
            dynamodb.transact_write_items,
            TransactItems=[{"Put": {**table, "Item": item}} for item in (LEASE, STANDING)],
        ),
        "an intent": partial(dynamodb.put_item, Item=intent, **table),
        "no intent": partial(dynamodb.delete_item, Key=intent, **table),
        "no table": partial(dynamodb.delete_table, **table),
    }
    assert done(attempts) == []


def test_the_meter_changes_nothing_but_the_ledger(scene: Scene) -> None:
    taken, outputs = scene.taken("MeterRole"), scene.stack.outputs
    group = {"logGroupName": outputs["InvocationLogGroup"]}
    ledger = {"TableName": outputs["LedgerTable"]}
    logs, invoke = taken.client("logs"), taken.client("lambda").invoke
    attempts: Attempts = {
        "no item": partial(taken.client("dynamodb").delete_item, Key=STANDING, **ledger),
        "no ledger": partial(taken.client("dynamodb").delete_table, **ledger),
        "the quotas": partial(taken.client("dynamodb").scan, TableName=outputs["QuotaTable"]),
        "no subscription": partial(logs.delete_subscription_filter, filterName="x", **group),
        "no retention": partial(logs.put_retention_policy, retentionInDays=1, **group),
        "another log": partial(logs.filter_log_events, logGroupName="/others"),
        "itself": partial(invoke, FunctionName=outputs["MeterFunction"]),
        "the author": partial(invoke, FunctionName=outputs["AuthorFunction"]),
        "a notice": partial(
            taken.client("sns").publish, TopicArn=outputs["NoticeTopic"], Message="x"
        ),
        "a letter of the enforcer's": partial(
            taken.client("sqs").send_message,
            QueueUrl=scene.physical("EnforcerDeadLetters"),
            MessageBody="x",
        ),
        "a deny on alice": partial(
            taken.client("iam").attach_user_policy, UserName="alice", PolicyArn=scene.denies[0]
        ),
    }
    scene.stack.aws.client("logs").create_log_group(logGroupName="/others")
    assert done(attempts) == []


def test_the_self_service_function_changes_nothing(scene: Scene) -> None:
    taken, outputs = scene.taken("MeRole"), scene.stack.outputs
    dynamodb, invoke = taken.client("dynamodb"), taken.client("lambda").invoke
    ledger, quotas = outputs["LedgerTable"], outputs["QuotaTable"]
    quota = {"principal": {"S": "user/alice"}, "quota": {"S": "daily"}}
    attempts: Attempts = {
        "a record": partial(dynamodb.put_item, TableName=ledger, Item=STANDING),
        "a quota": partial(dynamodb.put_item, TableName=quotas, Item=quota),
        "no record": partial(dynamodb.delete_item, TableName=ledger, Key=STANDING),
        "no request": partial(
            dynamodb.delete_item,
            TableName=ledger,
            Key={"pk": {"S": "requests"}, "sk": {"S": "user/alice"}},
        ),
        "no quota": partial(dynamodb.delete_item, TableName=quotas, Key=quota),
        "no ledger": partial(dynamodb.delete_table, TableName=ledger),
        "the log": partial(
            taken.client("logs").filter_log_events, logGroupName=outputs["InvocationLogGroup"]
        ),
        "the enforcer": partial(invoke, FunctionName=outputs["EnforcerFunction"]),
        "a notice": partial(
            taken.client("sns").publish, TopicArn=outputs["NoticeTopic"], Message="x"
        ),
        "a deny on alice": partial(
            taken.client("iam").attach_user_policy, UserName="alice", PolicyArn=scene.denies[0]
        ),
    }
    assert done(attempts) == []


def test_set_up_hands_bedrock_no_role_but_the_logs(scene: Scene) -> None:
    bedrock = scene.taken("SetupRole").client("bedrock")
    config = bedrock.get_model_invocation_logging_configuration()["loggingConfig"]
    config["cloudWatchConfig"]["roleArn"] = f"arn:aws:iam::{scene.stack.aws.account_id}:role/ci"
    put = partial(bedrock.put_model_invocation_logging_configuration, loggingConfig=config)
    assert is_refused(put)


# All functions together


def test_a_gate_that_allows_everything_cannot_be_given_to_anybody(scene: Scene) -> None:
    """The author writes it, and neither the enforcer nor set-up nor the author can attach it."""
    author = scene.taken("AuthorRole").client("iam")
    author.create_policy_version(PolicyArn=scene.gate, PolicyDocument=ANYTHING, SetAsDefault=True)
    for role in ROLES:
        iam, me = scene.taken(role).client("iam"), scene.physical(role)
        everybody = attaching(iam, "gate on", scene.gate, users=["alice"], roles=["ci", me])
        assert done(everybody) == []


def test_where_it_is_the_boundary_it_gives_nothing(scene: Scene) -> None:
    """The worst of it: who was denied Bedrock may call it again."""
    bob = a_user(scene.stack.aws, "bob", ALLOW)
    root = scene.stack.aws.client("iam")
    root.put_user_permissions_boundary(UserName="bob", PermissionsBoundary=scene.gate)
    call(bob)
    assert is_refused(partial(bob.client("iam").create_user, UserName="new"))
    assert is_refused(partial(bob.client("dynamodb").list_tables))


def test_all_that_can_be_attached_only_denies(scene: Scene) -> None:
    """And none of the functions can write another document into it."""
    root = scene.stack.aws.client("iam")
    for arn in scene.denies:
        version = root.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
        assert {each["Effect"] for each in version["Document"]["Statement"]} == {"Deny"}
        for role in ROLES:
            iam = scene.taken(role).client("iam")
            write = partial(iam.create_policy_version, PolicyArn=arn, PolicyDocument=ANYTHING)
            assert is_refused(write)


def test_only_lambda_can_take_the_roles(scene: Scene) -> None:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    admin = a_user(scene.stack.aws, "admin", everything)
    for role in ROLES:
        root = scene.stack.aws.client("iam")
        arn = root.get_role(RoleName=scene.physical(role))["Role"]["Arn"]
        take = partial(admin.client("sts").assume_role, RoleArn=arn, RoleSessionName="attacker")
        assert is_refused(take)


@pytest.mark.parametrize("session", ["attacker", "MeFunction"])
def test_whoever_has_a_role_without_being_its_function_does_nothing_of_its_work(
    scene: Scene, session: str
) -> None:
    """Such as another function that somebody gave the role to."""
    name = session if session == "attacker" else scene.physical(session)
    outputs = scene.stack.outputs
    ledger, deny = outputs["LedgerTable"], scene.denies[0]
    meter, enforcer = scene.taken_as("MeterRole", name), scene.taken_as("EnforcerRole", name)
    author, setup = scene.taken_as("AuthorRole", name), scene.taken_as("SetupRole", name)
    wake = {"FunctionName": outputs["EnforcerFunction"], "Payload": '{"action": "close"}'}
    attempts: Attempts = {
        "the enforcer, as the meter": partial(meter.client("lambda").invoke, **wake),
        "the enforcer, as set-up": partial(setup.client("lambda").invoke, **wake),
        "the author": partial(
            enforcer.client("lambda").invoke, FunctionName=outputs["AuthorFunction"]
        ),
        "the log": partial(
            meter.client("logs").filter_log_events, logGroupName=outputs["InvocationLogGroup"]
        ),
        "usage": partial(meter.client("dynamodb").put_item, TableName=ledger, Item=STANDING),
        "everybody's usage": partial(meter.client("dynamodb").scan, TableName=ledger),
        "a deny": partial(
            enforcer.client("iam").attach_user_policy, UserName="alice", PolicyArn=deny
        ),
        "no deny": partial(
            enforcer.client("iam").detach_user_policy, UserName="alice", PolicyArn=deny
        ),
        "a notice": partial(
            enforcer.client("sns").publish, TopicArn=outputs["NoticeTopic"], Message="x"
        ),
        "a gate": partial(
            author.client("iam").create_policy_version,
            PolicyArn=scene.gate,
            PolicyDocument=ANYTHING,
        ),
        "no logging": setup.client("bedrock").delete_model_invocation_logging_configuration,
    }
    assert done(attempts) == []
