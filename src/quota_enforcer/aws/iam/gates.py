"""The gates in IAM: documents of exactly named policies, and the roles that name them.

Reading the default version's document takes no `iam:GetPolicy`: the list of versions says it all.
"""

from typing import TYPE_CHECKING, Any, Final, cast

from quota_enforcer.core.policies.document import Document, compact
from quota_enforcer.gates.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mypy_boto3_iam import IAMClient
    from mypy_boto3_iam.type_defs import PolicyVersionTypeDef, TagTypeDef

_VERSIONS: Final = 5
"""A managed policy holds at most this many versions.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""
_DESCRIPTION: Final = (
    "Permissions boundary only, never to be attached: it allows everything but Amazon Bedrock to "
    "those who are over their quota. Written by the quota enforcer."
)


class IamGates:
    """The `Gates` of an account; those written get these tags, each a key and a value."""

    def __init__(self, client: "IAMClient", tags: "Iterable[tuple[str, str]]" = ()) -> None:
        self._client = client
        self._tags: list[TagTypeDef] = [{"Key": key, "Value": value} for key, value in tags]

    def document(self, gate: str) -> Document | None:
        """The document in force; None if there is no such policy."""
        try:
            (version,) = (each for each in self._versions(gate) if each["IsDefaultVersion"])
            found = self._client.get_policy_version(PolicyArn=gate, VersionId=version["VersionId"])
        except self._client.exceptions.NoSuchEntityException:
            return None
        # botocore decodes the document, though its types say text.
        return cast("Document", found["PolicyVersion"]["Document"])

    def create(self, gate: str, document: Document) -> None:
        """Make the policy; if somebody has just made it, put the document in force there."""
        path, _, name = gate.partition(":policy")[2].rpartition("/")
        try:
            self._client.create_policy(
                Path=f"{path}/",
                PolicyName=name,
                PolicyDocument=compact(document),
                Description=_DESCRIPTION,
                **({"Tags": self._tags} if self._tags else {}),
            )
        except self._client.exceptions.EntityAlreadyExistsException:
            self.replace(gate, document)

    def replace(self, gate: str, document: Document) -> None:
        """Put another document in force at once; the oldest version makes room for a sixth."""
        spare = sorted(
            (each for each in self._versions(gate) if not each["IsDefaultVersion"]),
            key=_number,
        )
        for version in spare[: max(0, len(spare) + 2 - _VERSIONS)]:
            self._client.delete_policy_version(PolicyArn=gate, VersionId=version["VersionId"])
        self._client.create_policy_version(
            PolicyArn=gate, PolicyDocument=compact(document), SetAsDefault=True
        )
        if self._tags:  # last: what is denied matters more
            self._client.tag_policy(PolicyArn=gate, Tags=self._tags)

    def attached_to(self, gate: str) -> list[str]:
        """Who has it as an ordinary permissions policy, such as `role/admin`."""
        pages = self._client.get_paginator("list_entities_for_policy")
        holders: list[str] = []
        # To serve as a boundary is what it is for, hence the filter.
        for page in pages.paginate(PolicyArn=gate, PolicyUsageFilter="PermissionsPolicy"):
            holders += (f"user/{user['UserName']}" for user in page["PolicyUsers"])
            holders += (f"role/{role['RoleName']}" for role in page["PolicyRoles"])
            holders += (f"group/{group['GroupName']}" for group in page["PolicyGroups"])
        return sorted(holders)

    def role(self, name: str) -> Role | None:
        """A role by its name without path; None if there is none."""
        try:
            role: Any = self._client.get_role(RoleName=name)["Role"]
        except self._client.exceptions.NoSuchEntityException:
            return None
        boundary = role.get("PermissionsBoundary", {})
        return Role(
            role["RoleId"],
            boundary.get("PermissionsBoundaryArn", ""),
            role["Path"],
            compact(role["AssumeRolePolicyDocument"]),
        )

    def _versions(self, gate: str) -> "Iterator[PolicyVersionTypeDef]":
        pages = self._client.get_paginator("list_policy_versions")
        for page in pages.paginate(PolicyArn=gate):
            yield from page["Versions"]


def _number(version: "PolicyVersionTypeDef") -> int:
    """Versions count up from `v1` and no number comes twice."""
    return int(version["VersionId"].removeprefix("v"))
