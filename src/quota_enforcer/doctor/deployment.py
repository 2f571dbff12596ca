"""The deployment that is looked at, with the readings that several checks share."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Final, Generic, TypeVar

from quota_enforcer.core.deployment import Settings
from quota_enforcer.core.ledger import QuotaMemory
from quota_enforcer.core.policies.names import ROLE_PATH
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.item import Quotas
from quota_enforcer.core.quotas.quota import Action, Quota
from quota_enforcer.core.usage.reads import ReadSample
from quota_enforcer.decide.rules.loader import QuotaLoader
from quota_enforcer.decide.rules.rule_set import RuleSet
from quota_enforcer.doctor.probe import Probe
from quota_enforcer.enforce.ports.ledger import Ledger
from quota_enforcer.insight.gates import GatesKept
from quota_enforcer.satellites.registry import member_accounts

T = TypeVar("T")


class Memoised(Generic[T]):
    """Reads once, in whichever thread calls first; a failure is kept like a result."""

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._lock = Lock()
        self._found: list[T] = []
        self._failed: Exception | None = None

    def __call__(self) -> T:
        with self._lock:
            if self._failed is not None:
                raise self._failed
            if not self._found:
                try:
                    self._found.append(self._read())
                except Exception as error:
                    self._failed = error
                    raise
            return self._found[0]


LATELY: Final = timedelta(days=3)
"""How far back calls are looked for in Bedrock's own metric."""
PERIOD: Final = 300
"""Seconds whose calls are counted together."""


class DeploymentUnderCheck:
    """One deployment at one moment, as every check sees it."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        quotas: Quotas,
        sample: ReadSample,
        probe: Probe,
        now: datetime,
    ) -> None:
        self.settings = settings
        self.ledger = ledger
        self.sample = sample
        self.probe = probe
        self.now = now
        self.state = Memoised(ledger.state)
        self.everybody = Memoised(ledger.everybody)
        self.items = Memoised(quotas.items)
        self.quotas = Memoised(self._load)
        self.parts = Memoised(probe.parts)
        self.parameters = Memoised(probe.parameters)
        self.identities = Memoised(probe.identities)
        self.satellites = Memoised(probe.satellites)
        self.meter = Memoised(probe.meter)
        self.kept = Memoised(lambda: GatesKept(probe.author().gates, probe.gates()))
        self.logging = Memoised(lambda: probe.logging(probe.region))
        self.calls = Memoised(lambda: probe.calls(probe.region, now - LATELY, now, PERIOD))

    def members(self) -> frozenset[str]:
        """The member accounts in which a satellite stands."""
        return member_accounts(self.satellites(), self.settings.account)

    def satellite_regions(self) -> frozenset[str]:
        """The further Regions of home's own account in which a satellite stands."""
        home = self.settings.account
        return frozenset(
            each.place.region for each in self.satellites() if each.place.account == home
        )

    def denying(self, principal: Principal) -> Sequence[Quota]:
        """The quotas of a principal that deny."""
        found = self.quotas().book.applicable_to(principal, self.now).quotas
        return [quota for quota in found if quota.action is Action.DENY]

    def part(self, name: str) -> str:
        """What CloudFormation calls a resource of the template; empty if there is none."""
        found = self.parts().get(name)
        return found.id if found else ""

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something in the deployment's Region."""
        place = f"{service}:{self.probe.region}:{self.settings.account}"
        return f"arn:{self.partition}:{place}:{resource}"

    def role(self, name: str) -> str:
        """The ARN of a role of the template."""
        before = self.parameters().get("RolePath") or ROLE_PATH
        path = f"role{before}bedrock-quota/{self.settings.stack}/{self.part(name)}"
        return f"arn:{self.partition}:iam::{self.settings.account}:{path}"

    def log_of(self, function: str) -> str:
        """The log group of one of our functions: `meter`, `enforcer` or `author`."""
        return f"/bedrock-quota/{self.settings.stack}/{function}"

    @property
    def partition(self) -> str:
        """As the ARNs of the stack's policies have it."""
        return self.settings.denies["*"].split(":")[1]

    def _load(self) -> RuleSet:
        """The rules in force, with every invalid item, also those that admins were notified of."""
        return self._loaded([replace(each, reported="") for each in self.ledger.quota_memories()])

    def ledger_rules(self) -> RuleSet:
        """The rules in force; an invalid item that admins were notified of is left out."""
        return self._loaded(self.ledger.quota_memories())

    def _loaded(self, memories: list[QuotaMemory]) -> RuleSet:
        loader = QuotaLoader(self.settings.zone, self.settings.denies, self.settings.account)
        return loader.load(self.items(), memories, self.now)
