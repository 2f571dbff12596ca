"""Who calls Bedrock in the demo, each with its own credentials."""

import json
from collections.abc import Mapping
from typing import Any, Final

from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import TOKEN_COUNTS
from quota_enforcer.local.demo.cast import MODELS, SHARED, Call, Member
from quota_enforcer.local.embedded import EmbeddedAws

_TWO_MODELS: Final = "two-models"


class Callers:
    """The users, the roles and their sessions.

    Attributes:
        roles: who is behind which role, by ARN.
        keys: each user's access key, its id and its secret.
    """

    def __init__(
        self, aws: EmbeddedAws, keys: Mapping[Principal, tuple[str, str]] | None = None
    ) -> None:
        """With the keys of users who are there already."""
        self._aws = aws
        self._runtimes: dict[tuple[Principal, str], Any] = {}
        self.roles: dict[Principal, str] = {}
        self.keys = dict(keys or {})

    def make_shared_roles(self, gate: str) -> None:
        """Make the roles that several people share, with the gate as permissions boundary.

        For people of Identity Center this stands in for what it does with a permission set.
        """
        for name, path in SHARED.items():
            self._make_role(name, Path=path, PermissionsBoundary=gate)

    def join(self, member: Member) -> None:
        """Make the user or role with an ordinary policy for the two models, and its credentials."""
        principal = member.principal
        if not member.role:
            iam, name = self._aws.client("iam"), principal.name
            iam.create_user(UserName=name)
            iam.put_user_policy(UserName=name, PolicyName=_TWO_MODELS, PolicyDocument=_ALLOW)
            key = iam.create_access_key(UserName=name)["AccessKey"]
            self.keys[principal] = key["AccessKeyId"], key["SecretAccessKey"]
        elif member.role not in SHARED:
            self._make_role(member.role)
        self.sign_in(member)

    def sign_in(self, member: Member) -> None:
        """Take up the credentials of somebody who is there."""
        if not member.role:
            self._admit(member.principal, "", *self.keys[member.principal])
        else:
            for session in member.sessions:
                self._take_role(member, session)

    def invoke(self, call: Call) -> str:
        """Call the model with the caller's own credentials; returns IAM's words if it refuses."""
        runtime = self._runtimes[call.principal, call.session]
        counts = dict(zip(TOKEN_COUNTS, call.counts[1:], strict=False))
        body = {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 4096,
            "messages": [{"role": "user", "content": "..."}],  # the traces hold no text
            "simulate": counts,
        }
        try:
            runtime.invoke_model(modelId=call.model, body=json.dumps(body))
        except runtime.exceptions.AccessDeniedException as refusal:
            return str(refusal)
        return ""

    def _make_role(self, name: str, **more: str) -> None:
        iam = self._aws.client("iam")
        trust = document(Action="sts:AssumeRole", Principal={"AWS": self._aws.account_id})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **more)
        iam.put_role_policy(RoleName=name, PolicyName=_TWO_MODELS, PolicyDocument=_ALLOW)

    def _take_role(self, member: Member, session: str) -> None:
        """A session of the role, by its own name or that of the person behind it."""
        role = self._aws.client("iam").get_role(RoleName=member.role)["Role"]["Arn"]
        taken = self._aws.client("sts").assume_role(
            RoleArn=role, RoleSessionName=session or member.principal.name.rpartition("/")[2]
        )
        self.roles[member.principal] = taken["AssumedRoleUser"]["Arn"].rpartition("/")[0]
        key = taken["Credentials"]
        self._admit(
            member.principal, session,
            key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"],
        )  # fmt: skip

    def _admit(self, principal: Principal, session: str, *key: str) -> None:
        credentials = self._aws.session_for(*key)
        self._runtimes[principal, session] = credentials.client("bedrock-runtime")


def document(**statement: Any) -> str:
    """A policy with one statement that allows something."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"} | statement]})


_ALLOW: Final = document(
    Action=["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
    Resource=[f"arn:aws:bedrock:*::foundation-model/{model}" for model in MODELS],
)
