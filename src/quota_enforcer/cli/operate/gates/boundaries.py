"""What to set on a permission set or role so that it names a gate as its permissions boundary."""

from collections.abc import Iterator, Sequence
from typing import Final

from quota_enforcer.gates.roles import BoundaryState
from quota_enforcer.insight.gates import GateFound, SharedRole, named_by

_BARE: Final = "{shown} has no permissions boundary, so nobody behind it can be blocked."

_TAKEN: Final = """\
{shown} has the permissions boundary {boundary}, which is no gate of this stack.
  There is room for one only, and a gate holds nothing but its own deny list. First keep what that
  boundary limits in another way: a policy on the {kind} that denies everything but what it allows
  (Deny with NotAction), or a service control policy. Then put the gate in its place."""

_PERMISSION_SET: Final = """\
  In the console of IAM Identity Center: Permission sets > {set} > Permissions boundary,
  customer managed policy, with these values:
    policy name  {name}
    path         {path}
  Or by commands, with the ARNs from `aws sso-admin list-instances` and `list-permission-sets`:
{commands}
  Each other account that the permission set is assigned to needs a policy of that name and path
  too, or it cannot be provisioned there: deploy this stack there as well, by the same name."""

_ROLE: Final = """\
  In the console of IAM: Roles > {role} > Permissions boundary, {name}. Or:
{commands}"""


def steps(role: SharedRole, gate: GateFound, account: str) -> Iterator[str]:
    """What to do so that a role names this gate; a command always has its line for itself."""
    kind = "permission set" if role.permission_set else "role"
    shown = role.shown[0].upper() + role.shown[1:]
    told = _BARE if role.state is BoundaryState.NOTHING else _TAKEN
    yield told.format(shown=shown, boundary=role.boundary, kind=kind)
    yield (_PERMISSION_SET if role.permission_set else _ROLE).format(
        set=role.permission_set,
        role=role.name,
        name=gate.name,
        path=gate.path,
        commands="\n".join(f"    {each}" for each in commands(role, gate, account)),
    )


def commands(role: SharedRole, gate: GateFound, account: str) -> list[str]:
    """The same for the AWS CLI; what only Identity Center knows is in capital letters.

    https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_PutPermissionsBoundaryToPermissionSet.html
    """
    if not role.permission_set:
        put = f"aws iam put-role-permissions-boundary --role-name {role.name}"
        return [f"{put} --permissions-boundary {gate.arn}"]
    which = "--instance-arn INSTANCE_ARN --permission-set-arn PERMISSION_SET_ARN"
    policy = f"CustomerManagedPolicyReference={{Name={gate.name},Path={gate.path}}}"
    put = f"aws sso-admin put-permissions-boundary-to-permission-set {which}"
    provision = f"aws sso-admin provision-permission-set {which}"
    return [
        f"{put} --permissions-boundary '{policy}'",
        f"{provision} --target-type AWS_ACCOUNT --target-id {account}",
    ]


def gate_for(
    role: SharedRole, gates: Sequence[GateFound], roles: Sequence[SharedRole]
) -> GateFound:
    """The gate for a role to name: of those that were made the one with most room.

    Anybody can make up names of sessions, so a role gets a gate that no permission set names, and
    a permission set one that no other role names, where there is one; with all free, the last is
    for roles.
    """
    sessions, people = named_by(roles, people=False), named_by(roles, people=True)
    others = sessions if role.permission_set else people
    numbers = {gate.arn: number for number, gate in enumerate(gates)}

    def rank(gate: GateFound) -> tuple[bool, bool, bool, int, int]:
        is_last = numbers[gate.arn] == len(gates) - 1
        is_for_others = is_last if role.permission_set else not is_last
        undecided = not (people | sessions) and len(gates) > 1
        return (
            gate.percent is None,
            gate.arn in others,
            undecided and is_for_others,
            gate.percent or 0,
            numbers[gate.arn],
        )

    return min(gates, key=rank)
