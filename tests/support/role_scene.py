"""One deployment and its account, for attempts with the roles of its functions."""

from dataclasses import dataclass
from typing import Any, Final

from deployed_stack import DeployedStack
from embedded_account import document
from quota_enforcer.local.embedded import EmbeddedAws

NOBODY: Final = document({"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"})
ANYTHING: Final = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
NAME: Final = "bedrock-quota-over-bedrock-quota"
PLANTED: Final = {
    "at the top": ("/", f"{NAME}-see-your-notice"),
    "below a like path": ("/bedrock-quota/bedrock-quota-2/", f"{NAME}-see-your-notice"),
    "of a scope not installed": ("/bedrock-quota/bedrock-quota/", f"{NAME}-3-see-your-notice"),
    "of another stack": ("/bedrock-quota/other/", "other-over-bedrock-quota-see-your-notice"),
    "with a longer name": ("/bedrock-quota/bedrock-quota/", f"{NAME}-see-your-notice-x"),
}
"""Policies that others made beforehand, named like ours: path and name."""
LIKE_GATES: Final = {
    "a gate not installed": (
        "/bedrock-quota/bedrock-quota/",
        "bedrock-quota-over-bedrock-quota-gate-2-see-your-notice-BOUNDARY-ONLY",
    ),
    "a gate at the top": (
        "/",
        "bedrock-quota-over-bedrock-quota-gate-1-see-your-notice-BOUNDARY-ONLY",
    ),
    "another stack's gate": (
        "/bedrock-quota/other/",
        "other-over-bedrock-quota-gate-1-see-your-notice-BOUNDARY-ONLY",
    ),
    "a deny": ("/bedrock-quota/bedrock-quota/", f"{NAME}-4-see-your-notice"),
}


@dataclass(frozen=True)
class Scene:
    """One deployment with a gate and two scopes, and whom an attack could serve.

    alice and the role ci have no permission at all; the policies PLANTED allow everything.
    """

    stack: DeployedStack

    @classmethod
    def of(cls, aws: EmbeddedAws) -> "Scene":
        """Deploy the stack, and make everybody."""
        stack = DeployedStack.of(
            aws, Gates="1", ModelScope1="anthropic.claude-3-opus*", ModelScope2="deepseek.r1-v1:0"
        )
        iam = aws.client("iam")
        iam.create_group(GroupName="devs")
        for name, path in {"alice": "/", "mallory": "/", "oncall": "/break-glass/"}.items():
            iam.create_user(UserName=name, Path=path)
        roles = {"ci": "/", "rescue": "/break-glass/", "AWSReservedSSO_x": "/aws-reserved/sso/"}
        for name, path in roles.items():
            iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=NOBODY)
        for path, name in [*PLANTED.values(), LIKE_GATES["another stack's gate"]]:
            iam.create_policy(Path=path, PolicyName=name, PolicyDocument=ANYTHING)
        made = cls(stack)
        made.taken("AuthorRole").client("iam").create_policy(**made.new_gate)
        return made

    @property
    def new_gate(self) -> dict[str, str]:
        """How the author makes its gate."""
        path, _, name = self.gate.partition(":policy")[2].rpartition("/")
        return {"Path": f"{path}/", "PolicyName": name, "PolicyDocument": ANYTHING}

    @property
    def denies(self) -> list[str]:
        """The static deny policies of the stack."""
        return [self.policy("/bedrock-quota/bedrock-quota/", f"{NAME}{number}-see-your-notice")
                for number in ("", "-1", "-2")]  # fmt: skip

    @property
    def gate(self) -> str:
        """The stack's one gate."""
        name = "bedrock-quota-over-bedrock-quota-gate-1-see-your-notice-BOUNDARY-ONLY"
        return self.policy("/bedrock-quota/bedrock-quota/", name)

    def policy(self, path: str, name: str) -> str:
        """The ARN of a policy of the account."""
        return f"arn:aws:iam::{self.stack.aws.account_id}:policy{path}{name}"

    def physical(self, resource: str) -> str:
        """The name that CloudFormation gave a resource."""
        return self.stack.resource(resource)

    def taken(self, role: str) -> Any:
        """The credentials of a function, which root may take in Lambda's place."""
        return self.taken_as(role, self.physical(f"{role.removesuffix('Role')}Function"))

    def taken_as(self, role: str, session: str) -> Any:
        """A session of a role; it is the function's only if it has the function's name."""
        aws = self.stack.aws
        arn = aws.client("iam").get_role(RoleName=self.physical(role))["Role"]["Arn"]
        key = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName=session)["Credentials"]
        return aws.session_for(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
