"""Sessions of roles in other accounts, taken when they are first used and again before they end."""

from functools import cache
from typing import TYPE_CHECKING, Final

import boto3
import botocore.session
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.loaders import create_loader

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from botocore.loaders import Loader
    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import AssumeRoleResponseTypeDef

_METHOD: Final = "assume-role"


class _Assumed(CredentialProvider):
    """Nothing is asked before the first request that needs to be signed."""

    METHOD = _METHOD
    CANONICAL_NAME = _METHOD

    def __init__(
        self, sts_client: "STSClient", role: str, external_id: str | None, name: str
    ) -> None:
        super().__init__()
        self._client = sts_client
        self._role = role
        self._external_id = external_id
        self._name = name

    def load(self) -> "Credentials | None":
        return DeferredRefreshableCredentials(refresh_using=self._take, method=_METHOD)

    def _take(self) -> dict[str, str]:
        taken = self._ask()["Credentials"]
        return {
            "access_key": taken["AccessKeyId"],
            "secret_key": taken["SecretAccessKey"],
            "token": taken["SessionToken"],
            "expiry_time": taken["Expiration"].isoformat(),
        }

    def _ask(self) -> "AssumeRoleResponseTypeDef":
        if self._external_id is None:
            return self._client.assume_role(RoleArn=self._role, RoleSessionName=self._name)
        return self._client.assume_role(
            RoleArn=self._role, RoleSessionName=self._name, ExternalId=self._external_id
        )


@cache
def _loader() -> "Loader":
    """What AWS's services look like is read once for all these sessions, not for each of them."""
    return create_loader()


def assumed(
    sts_client: "STSClient", role: str, external_id: str | None, name: str, region: str
) -> boto3.Session:
    """A session of a role, by its ARN, in a Region; `name` is who takes it, as CloudTrail has it.

    Keep it: it holds what STS gave. Nothing is asked here; a role that cannot be taken is an
    error of STS at the first call, or at one after its credentials have ended.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    core = botocore.session.get_session()
    core.register_component("data_loader", _loader())
    provider = _Assumed(sts_client, role, external_id, name)
    core.register_component("credential_provider", CredentialResolver([provider]))
    return boto3.Session(botocore_session=core, region_name=region)


def take(there: boto3.Session) -> None:
    """Have credentials that are good for minutes; raises what STS says, and asks it if need be."""
    credentials = there.get_credentials()
    assert credentials is not None  # noqa: S101 - for mypy: ours always has some
    credentials.get_frozen_credentials()
