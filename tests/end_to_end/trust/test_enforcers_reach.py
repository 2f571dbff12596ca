"""The promise: even with its code replaced, the enforcer gains nobody a permission."""

from collections.abc import Callable
from functools import partial

from deployed_stack import DeployedStack, is_refused
from embedded_account import Caller, document

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def test_the_enforcer_can_attach_its_deny_and_nothing_else(
    stack: DeployedStack, user: Caller
) -> None:
    """By IAM's decisions on the function's own role, so whatever code it runs."""
    user("alice")
    stack.aws.client("iam").create_user(UserName="oncall", Path="/break-glass/")
    other = DeployedStack.of(
        stack.aws, "other", ExistingLogGroup=stack.outputs["InvocationLogGroup"]
    )
    attempts = attempts_of_the_enforcer(stack, other.outputs["DenyAllPolicy"])
    done = [name for name, attempt in attempts.items() if not is_refused(attempt)]
    assert done == ["its deny on a user", "its deny off a user"]


def attempts_of_the_enforcer(stack: DeployedStack, others: str) -> dict[str, Callable[[], object]]:
    """What the enforcer's code could try with its role's credentials."""
    function = stack.outputs["EnforcerFunction"]
    client = stack.aws.client("lambda")
    role = client.get_function_configuration(FunctionName=function)["Role"]
    sts = stack.aws.client("sts")
    key = sts.assume_role(RoleArn=role, RoleSessionName=function)["Credentials"]
    taken = stack.aws.session_for(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
    iam, me, own = taken.client("iam"), role.rpartition("/")[2], stack.outputs["DenyAllPolicy"]
    anything = document({"Effect": "Allow", "Action": "*", "Resource": "*"})

    def user_policy(arn: str, name: str = "alice", verb: str = "attach") -> Callable[[], object]:
        change = getattr(iam, f"{verb}_user_policy")
        return partial(change, UserName=name, PolicyArn=arn)

    def role_policy(arn: str) -> Callable[[], object]:
        return partial(iam.attach_role_policy, RoleName=me, PolicyArn=arn)

    inline = {"PolicyName": "x", "PolicyDocument": anything}
    return {
        "its deny on a user": user_policy(own),
        "its deny off a user": user_policy(own, verb="detach"),
        "its deny on a break-glass user": user_policy(own, "oncall"),
        "its deny on itself": role_policy(own),
        "administrator on a user": user_policy(ADMINISTRATOR),
        "administrator on itself": role_policy(ADMINISTRATOR),
        "another stack's deny": user_policy(others),
        "another stack's deny off": user_policy(others, verb="detach"),
        "an inline policy on a user": partial(iam.put_user_policy, UserName="alice", **inline),
        "an inline policy on itself": partial(iam.put_role_policy, RoleName=me, **inline),
        "a new policy": partial(iam.create_policy, PolicyName="x", PolicyDocument=anything),
        "another document for its deny": partial(
            iam.create_policy_version, PolicyArn=own, PolicyDocument=anything, SetAsDefault=True
        ),
        "who may take its role": partial(
            iam.update_assume_role_policy, RoleName=me, PolicyDocument=anything
        ),
        "a key of a user": partial(iam.create_access_key, UserName="alice"),
        "a quota": partial(
            taken.client("dynamodb").put_item,
            TableName=stack.outputs["QuotaTable"],
            Item={"principal": {"S": "user/alice"}, "quota": {"S": "daily"}},
        ),
        "a forged invocation log record": partial(
            taken.client("logs").put_log_events,
            logGroupName=stack.outputs["InvocationLogGroup"],
            logStreamName="aws/bedrock/modelinvocations",
            logEvents=[{"timestamp": 0, "message": "{}"}],
        ),
    }
