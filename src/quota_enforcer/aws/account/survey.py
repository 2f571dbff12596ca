"""An account as it is before anything of ours is deployed, wired to the adapters."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from quota_enforcer.aws import clients
from quota_enforcer.aws.account.organization import accounts
from quota_enforcer.aws.account.regions import enabled_regions
from quota_enforcer.aws.bedrock.batch_jobs import batch_jobs
from quota_enforcer.aws.bedrock.logging_found import logging_found
from quota_enforcer.aws.cloudwatch.event_history import newest_calls
from quota_enforcer.aws.cloudwatch.logs.log_groups import LogWiring
from quota_enforcer.aws.cloudwatch.traffic import BedrockTraffic
from quota_enforcer.aws.errors import problem
from quota_enforcer.aws.iam.authorizations import authorizations
from quota_enforcer.aws.iam.identities import IamIdentities
from quota_enforcer.aws.iam.simulation import allowed
from quota_enforcer.core.policies.guard.keys import Key
from quota_enforcer.core.principal import Kind
from quota_enforcer.doctor.access import Problem
from quota_enforcer.doctor.before.facts import (
    AccountProbe,
    Authorizations,
    CallSeen,
    OtherAccount,
    RegionFound,
    Whereabouts,
)

if TYPE_CHECKING:
    import boto3

_DAY: Final = 86_400


def account_probe(session: "boto3.Session") -> AccountProbe:
    """The `AccountProbe` of whoever's credentials a session has."""
    return _AwsAccount(session)


class _AwsAccount:
    def __init__(self, session: "boto3.Session") -> None:
        self._session = session
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = Lock()
        self._with_bedrock = frozenset(
            region
            for partition in session.get_available_partitions()
            for region in session.get_available_regions("bedrock", partition)
        )

    def problem(self, error: Exception) -> Problem:
        return problem(error)

    def whereabouts(self) -> Whereabouts:
        caller = self._client("sts").get_caller_identity()
        return Whereabouts(
            caller["Account"], caller["Arn"].split(":")[1], self._session.region_name or ""
        )

    def authorizations(self) -> Authorizations:
        return authorizations(self._client("iam"))

    def may(self, arn: str, keys: Sequence[Key]) -> Sequence[Key]:
        return allowed(self._client("iam"), arn, keys)

    def slots(self) -> Mapping[Kind, int]:
        return IamIdentities(self._client("iam")).slots()

    def regions(self) -> Sequence[str]:
        return enabled_regions(self._client("account"))

    def region(self, name: str, since: datetime, now: datetime) -> RegionFound:
        traffic = BedrockTraffic(self._client("cloudwatch", name))
        calls = sum(traffic.calls(since, now, _DAY).values())
        mantle = traffic.mantle(since, now, _DAY)
        linked = traffic.linked()
        if name not in self._with_bedrock and not calls:
            return RegionFound(name, mantle=mantle, linked=linked)
        bedrock = self._client("bedrock", name)
        return RegionFound(
            name,
            calls,
            mantle,
            len(batch_jobs(bedrock, since)),
            logging_found(bedrock),
            LogWiring(self._client("logs", name)).stacks() if calls else (),
            linked,
        )

    def calls(self, region: str, since: datetime) -> Sequence[CallSeen]:
        return newest_calls(self._client("cloudtrail", region), since)

    def accounts(self) -> Sequence[OtherAccount]:
        return accounts(self._client("organizations"))

    def _client(self, service: str, region: str = "") -> Any:
        """One for each service and Region; a session may not make two at once."""
        key = service, region or self._session.region_name or ""
        with self._lock:
            if key not in self._clients:
                make: Any = self._session.client
                self._clients[key] = make(
                    service, region_name=key[1] or None, config=clients.DOCTOR
                )
            return self._clients[key]
