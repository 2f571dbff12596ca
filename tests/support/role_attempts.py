"""What a function could try with its role's credentials, whatever code it ran."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from deployed_stack import is_refused
from role_scene import ANYTHING, LIKE_GATES, PLANTED, Scene

ADMINISTRATOR: Final = "arn:aws:iam::aws:policy/AdministratorAccess"
Attempts = dict[str, Callable[[], object]]


def done(attempts: Attempts) -> list[str]:
    """What IAM did not refuse."""
    return [name for name, attempt in attempts.items() if not is_refused(attempt)]


def of_anybody(scene: Scene, taken: Any, role: str) -> Attempts:
    """What no function may do."""
    iam, me = taken.client("iam"), scene.physical(role)
    mine = scene.denies[0]
    inline: dict[str, Any] = {"PolicyName": "x", "PolicyDocument": ANYTHING}
    version = partial(iam.create_policy_version, PolicyDocument=ANYTHING, SetAsDefault=True)
    tries: Attempts = {
        "administrator on the group": partial(
            iam.attach_group_policy, GroupName="devs", PolicyArn=ADMINISTRATOR
        ),
        "its deny on the group": partial(
            iam.attach_group_policy, GroupName="devs", PolicyArn=mine
        ),
        "an inline policy on a user": partial(iam.put_user_policy, UserName="alice", **inline),
        "an inline policy on a role": partial(iam.put_role_policy, RoleName="ci", **inline),
        "an inline policy on itself": partial(iam.put_role_policy, RoleName=me, **inline),
        "an inline policy on the group": partial(
            iam.put_group_policy, GroupName="devs", **inline
        ),
        "no inline policy on itself": partial(
            iam.delete_role_policy, RoleName=me, PolicyName="sweep"
        ),
        "another version of the deny": partial(version, PolicyArn=mine),
        "another version of another policy": partial(
            version, PolicyArn=scene.policy(*PLANTED["at the top"])
        ),
        "an old version in force": partial(
            iam.set_default_policy_version, PolicyArn=mine, VersionId="v1"
        ),
        "an old gate in force": partial(
            iam.set_default_policy_version, PolicyArn=scene.gate, VersionId="v1"
        ),
        "no deny": partial(iam.delete_policy, PolicyArn=mine),
        "no gate": partial(iam.delete_policy, PolicyArn=scene.gate),
        "a boundary on a user": partial(
            iam.put_user_permissions_boundary, UserName="alice", PermissionsBoundary=scene.gate
        ),
        "no boundary on a role": partial(iam.delete_role_permissions_boundary, RoleName="ci"),
        "who may take its role": partial(
            iam.update_assume_role_policy, RoleName=me, PolicyDocument=ANYTHING
        ),
        "who may take a role": partial(
            iam.update_assume_role_policy, RoleName="ci", PolicyDocument=ANYTHING
        ),
        "a key": partial(iam.create_access_key, UserName="alice"),
        "a password": partial(iam.create_login_profile, UserName="alice", Password="Aa1!" * 3),
        "an API key of Bedrock": partial(
            iam.create_service_specific_credential,
            UserName="alice",
            ServiceName="bedrock.amazonaws.com",
        ),
        "a user": partial(iam.create_user, UserName="new"),
        "a role": partial(iam.create_role, RoleName="new", AssumeRolePolicyDocument=ANYTHING),
        "the group for a user": partial(
            iam.add_user_to_group, GroupName="devs", UserName="alice"
        ),
        "another role": partial(
            taken.client("sts").assume_role,
            RoleArn=f"arn:aws:iam::{scene.stack.aws.account_id}:role/ci",
            RoleSessionName="attacker",
        ),
        "a function with another role": partial(
            taken.client("lambda").create_function,
            FunctionName="new",
            Role=f"arn:aws:iam::{scene.stack.aws.account_id}:role/ci",
            Code={"ZipFile": b"x"},
        ),
        "other code": partial(
            taken.client("lambda").update_function_code,
            FunctionName=scene.stack.outputs["EnforcerFunction"],
            ZipFile=b"x",
        ),
        "a quota": partial(
            taken.client("dynamodb").put_item,
            TableName=scene.stack.outputs["QuotaTable"],
            Item={"principal": {"S": "user/alice"}, "quota": {"S": "daily"}},
        ),
        "a forged invocation log record": partial(
            taken.client("logs").put_log_events,
            logGroupName=scene.stack.outputs["InvocationLogGroup"],
            logStreamName="aws/bedrock/modelinvocations",
            logEvents=[{"timestamp": 0, "message": "{}"}],
        ),
        "a model": partial(
            taken.client("bedrock-runtime").invoke_model,
            modelId="anthropic.claude-3-opus-20240229-v1:0",
            body="{}",
        ),
    }  # fmt: skip
    not_its_own = {
        "administrator": ADMINISTRATOR,
        "the gate, as a permissions policy": scene.gate,
        **{f"a policy {where}": scene.policy(*planted) for where, planted in PLANTED.items()},
    }
    for what, arn in not_its_own.items():
        tries |= attaching(iam, f"{what} on", arn, users=["alice"], roles=["ci", me])
        tries[f"{what} off a user"] = partial(
            iam.detach_user_policy, UserName="mallory", PolicyArn=arn
        )
    for what, (path, name) in LIKE_GATES.items():
        tries[f"{what}, made"] = partial(
            iam.create_policy, Path=path, PolicyName=name, PolicyDocument=ANYTHING
        )
        tries[f"{what}, another version"] = partial(version, PolicyArn=scene.policy(path, name))
        tries[f"{what}, a version less"] = partial(
            iam.delete_policy_version, PolicyArn=scene.policy(path, name), VersionId="v1"
        )
    return tries


def attaching(iam: Any, what: str, policy: str, *, users: list[str], roles: list[str]) -> Attempts:
    """To attach a policy to each of these."""
    return {
        f"{what} user {name}": partial(iam.attach_user_policy, UserName=name, PolicyArn=policy)
        for name in users
    } | {
        f"{what} role {name}": partial(iam.attach_role_policy, RoleName=name, PolicyArn=policy)
        for name in roles
    }


def query(dynamodb: Any, table: str, partition: str) -> None:
    """Read one partition of the ledger."""
    dynamodb.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": partition}},
    )
