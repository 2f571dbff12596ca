"""Sessions of roles in other accounts, taken when they are first used and again before they end."""

from typing import TYPE_CHECKING, Final

import boto3
import botocore.session
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)

from quota_enforcer.aws import clients

if TYPE_CHECKING:
    from botocore.credentials import Credentials

_METHOD: Final = "assume-role"


class _Assumed(CredentialProvider):
    """Nothing is asked before the first request that needs to be signed."""

    METHOD = _METHOD
    CANONICAL_NAME = _METHOD

    def __init__(self, fetcher: AssumeRoleCredentialFetcher) -> None:
        super().__init__()
        self._fetcher = fetcher

    def load(self) -> "Credentials | None":
        return DeferredRefreshableCredentials(
            refresh_using=self._fetcher.fetch_credentials, method=_METHOD
        )


def assumed(
    session: boto3.Session, role: str, external_id: str, name: str, region: str
) -> boto3.Session:
    """A session of a role, by its ARN, in a Region; `name` is who takes it, as CloudTrail has it.

    Keep it: it holds what STS gave. Nothing is asked here; a role that cannot be taken is an
    error of STS at the first call.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=lambda *_, **__: session.client("sts", config=clients.PROMPT),
        source_credentials=session.get_credentials(),
        role_arn=role,
        extra_args={"RoleSessionName": name, "ExternalId": external_id},
    )
    core = botocore.session.get_session()
    core.register_component("credential_provider", CredentialResolver([_Assumed(fetcher)]))
    return boto3.Session(botocore_session=core, region_name=region)
