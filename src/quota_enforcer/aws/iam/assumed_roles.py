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
from quota_enforcer.aws.account.assumed import assumed, take
from quota_enforcer.core.errors import AccountUnreachable

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient

_T = TypeVar("_T")

TRIED_AGAIN: Final = timedelta(minutes=1)
"""So long an account that refused is not asked again: a thousand may wait for it in one sweep."""
_NAME: Final = "quota-enforcer"
"""Who takes a role, as CloudTrail there has it."""
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
    """What came of the last try: a session with its client, or why not, and when to try again."""

    there: "boto3.Session | None" = None
    client: "IAMClient | None" = None
    why: str = ""
    again: datetime | None = None


class AssumedRoles:
    """IAM clients of member accounts, and which of these cannot be reached.

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
        known = self._known.get(account, _Known())
        if known.again is None or known.again <= self._now():
            known = self._known[account] = self._try(account, known)
        if known.client is None:
            raise AccountUnreachable(account, known.why)
        return known.client

    @contextmanager
    def using(self, account: str, *, every_error: bool = False) -> Iterator[None]:
        """Raises AccountUnreachable if an account ceases to answer; then it is asked again.

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

    def _try(self, account: str, known: _Known) -> _Known:
        """A client with valid credentials, or why there is none and when to try again."""
        try:
            there = known.there or self._assumed(account)
            take(there)
            client = known.client or there.client("iam", config=clients.MEMBER)
        except (ClientError, BotoCoreError) as error:
            why = f"{self._role(account)}: {_in_words(error)}"
            return _Known(why=why, again=self._now() + TRIED_AGAIN)
        return _Known(there, client)

    def _assumed(self, account: str) -> "boto3.Session":
        with self._making:
            sts = self._sts = self._sts or self._session.client("sts", config=clients.MEMBER)
        region = self._session.region_name
        return assumed(sts, self._role(account), self._external_id, _NAME, region)


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
