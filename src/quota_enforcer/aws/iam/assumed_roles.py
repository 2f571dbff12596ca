"""IAM in member accounts, by the roles that satellites give to functions of home."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from quota_enforcer import clock
from quota_enforcer.aws import clients
from quota_enforcer.core.errors import AccountUnreachable

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient

_T = TypeVar("_T")

KEPT: Final = timedelta(minutes=50)
"""Of the hour that the credentials of a role are good for.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""
TRIED_AGAIN: Final = timedelta(minutes=1)
"""So long an account that refused is not asked again: a thousand may wait for it in one sweep."""
SIDE_BY_SIDE: Final = 16
"""Accounts that are worked on at once: each has its own limits, and one may not answer at all."""

LOST: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""By which codes an account says that the role, or its credentials, are no more."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What came of the last try, and until when it is good."""

    until: datetime
    client: "IAMClient | None"
    why: str = ""


class AssumedRoles:
    """IAM clients of member accounts: one AssumeRole for each account, as long as that is good.

    `role` says which role there is taken in an account.
    """

    def __init__(
        self,
        session: "boto3.Session",
        role: Callable[[str], str],
        external_id: str,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._session = session
        self._role = role
        self._external_id = external_id
        self._now = now
        self._known: dict[str, _Known] = {}
        self._sts: STSClient | None = None
        self._making = Lock()
        """Sessions of boto3 must not make two clients at once."""

    def client(self, account: str) -> "IAMClient":
        """IAM of an account. Raises AccountUnreachable."""
        known = self._known.get(account)
        if known is None or known.until <= self._now():
            known = self._known[account] = self._try(account)
        if known.client is None:
            raise AccountUnreachable(account, known.why)
        return known.client

    @contextmanager
    def using(self, account: str, *, every_error: bool = False) -> Iterator[None]:
        """Raises AccountUnreachable if an account ceases to answer; then it is asked anew.

        With `every_error` also for whatever else it says instead of an answer.
        """
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            code = error.response["Error"].get("Code") if isinstance(error, ClientError) else None
            if code is None or code in LOST:
                self._known.pop(account, None)
            elif not every_error:
                raise
            raise AccountUnreachable(account, _in_words(error)) from error

    def _try(self, account: str) -> _Known:
        try:
            client = self._assume(account)
        except (ClientError, BotoCoreError) as error:
            return _Known(
                self._now() + TRIED_AGAIN, None, f"{self._role(account)}: {_in_words(error)}"
            )
        return _Known(self._now() + KEPT, client)

    def _assume(self, account: str) -> "IAMClient":
        with self._making:
            client = self._sts = self._sts or self._session.client("sts", config=clients.MEMBER)
        key = client.assume_role(
            RoleArn=self._role(account),
            RoleSessionName="quota-enforcer",
            ExternalId=self._external_id,
        )["Credentials"]
        with self._making:
            return self._session.client(
                "iam",
                aws_access_key_id=key["AccessKeyId"],
                aws_secret_access_key=key["SecretAccessKey"],
                aws_session_token=key["SessionToken"],
                config=clients.MEMBER,
            )


def in_each(
    accounts: Iterable[str], work: Callable[[str], _T]
) -> tuple[Mapping[str, _T], Mapping[str, str]]:
    """What `work` answers in each account, side by side; and which cannot be reached, and why."""
    several = sorted(set(accounts))
    done: dict[str, _T] = {}
    unread: dict[str, str] = {}

    def attempt(account: str) -> None:
        try:
            done[account] = work(account)
        except AccountUnreachable as error:
            unread[account] = error.why

    if several:
        with ThreadPoolExecutor(min(SIDE_BY_SIDE, len(several))) as threads:
            list(threads.map(attempt, several))
    return done, unread


def _in_words(error: Exception) -> str:
    if isinstance(error, ClientError):
        said = error.response["Error"]
        return f"{error.operation_name}: {said.get('Code', '')}: {said.get('Message', '')}"
    return f"{type(error).__name__}: {error}"
