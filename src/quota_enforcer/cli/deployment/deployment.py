"""What a command works on: one deployment's settings, tables, functions and people."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol

from quota_enforcer.aws.errors import is_refusal
from quota_enforcer.cli.terminal.output import how_far
from quota_enforcer.core.deployment import Context, Settings
from quota_enforcer.core.errors import NotThere
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.notices.subscription import Subscription
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.item import Item, Quotas
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.request import RaiseRequest, Refusal
from quota_enforcer.core.usage.model import SeenModel
from quota_enforcer.core.usage.reads import ReadMany, ReadSample, no_progress
from quota_enforcer.decide.rules.loader import QuotaLoader
from quota_enforcer.decide.rules.rule_set import RuleSet
from quota_enforcer.enforce.ports.adapters import NoSatellites
from quota_enforcer.enforce.ports.ledger import Ledger
from quota_enforcer.insight.gates import GatesKept
from quota_enforcer.insight.quotas.names import IdentityNames
from quota_enforcer.insight.usage import ReadBefore, far_back
from quota_enforcer.satellites.registry import Satellite, SatelliteReads, member_accounts

if TYPE_CHECKING:
    from quota_enforcer.doctor.deployment import DeploymentUnderCheck
    from quota_enforcer.doctor.probe import Probe


class QuotaTable(Quotas, Protocol):
    """The quota table, as admins write it."""

    def get(self, subject: str, name: str) -> Item | None:
        """One item, consistently read."""

    def put(self, item: Item, expected: Item | None) -> None:
        """Write an item; raises Conflict if the stored item is not `expected`."""

    def remove(self, subject: str, name: str, expected: Item | None = None) -> Item | None:
        """Remove an item; returns the removed item, or None if there was none.

        Raises Conflict if `expected` is given and the stored item differs.
        """


class Subscriptions(Protocol):
    """Subscriptions to notices, as admins edit them."""

    def by_email(self) -> list[Subscription]:
        """Every subscribed address, with its filter."""

    def find(self, email: str) -> Subscription | None:
        """The subscription of an address, or None."""

    def count(self) -> int:
        """The number of subscriptions, of any kind."""

    def filters(self) -> int:
        """The number of subscriptions with a filter."""

    def add(self, email: str, filter_policy: str) -> None:
        """AWS asks the address to confirm. Raises CannotSubscribe at a limit of SNS."""

    def change(self, subscription: Subscription, filter_policy: str) -> None:
        """Replace the filter of a confirmed subscription."""

    def remove(self, subscription: Subscription) -> None:
        """End a confirmed subscription."""


class RequestTable(Protocol):
    """What people ask for, as admins answer it."""

    def requests(self) -> list[RaiseRequest]:
        """All that are kept."""

    def request(self, principal: Principal) -> RaiseRequest | None:
        """The one that this principal made last."""

    def refuse(self, request: RaiseRequest, refusal: Refusal) -> bool:
        """False if it was answered meanwhile, or another took its place."""


def _no_requests() -> RequestTable:
    raise NotThere("there is no ledger to ask")


def _no_probe() -> "Probe":
    raise NotThere("there is nothing in AWS to look at")


def _no_identities() -> IdentityNames:
    raise NotThere("there is no IAM to ask")


class ReadCalls(Protocol):
    """Reads the records of home's invocation log, without prompts and answers."""

    def __call__(
        self, start: datetime, end: datetime, told: Callable[[float], None] = no_progress
    ) -> Iterator[Mapping[str, Any]]:
        """Those of a stretch of time, in no order; `told` hears the progress, from 0 to 1."""


def _no_calls(*_: Any, **__: Any) -> Iterator[Mapping[str, Any]]:
    raise NotThere("there is no log to read")


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment: its settings, tables, functions and gates, and the admin who asks."""

    settings: Settings
    ledger: Ledger
    quotas: QuotaTable
    ask: Callable[[dict[str, Any]], dict[str, Any]]
    """Sends the enforcer function an event; raises EnforcerError with the function's message."""
    caller: Callable[[], str]
    """The ARN of the admin who runs the command."""
    gates: Callable[[], GatesKept]
    """Raises NotThere if the deployment has no gates."""
    ask_meter: Callable[[dict[str, Any]], dict[str, Any]]
    """Sends the meter function an event; raises EnforcerError with the function's message."""
    usages: ReadMany
    """Reads the usage of many principals at once."""
    sample: ReadSample
    """Reads it of some, where all would take long."""
    subscriptions: Callable[[], Subscriptions]
    """The subscriptions of the notice topic."""
    models: Callable[[], list[SeenModel]] = list
    """The opaque model ARNs that the meter has seen, by ARN."""
    probe: Callable[[], "Probe"] = _no_probe
    """What the doctor examines."""
    identities: Callable[[], IdentityNames] = _no_identities
    """Users and roles by name."""
    satellites: SatelliteReads = field(default_factory=NoSatellites)
    """In which Regions and accounts it meters besides."""
    requests: Callable[[], RequestTable] = _no_requests
    """What people ask for."""
    forget: Callable[[Satellite], bool] = lambda _: False
    """Strikes a satellite off the registry; False if it is not there any more."""
    parameters: Callable[[], Mapping[str, str]] = dict
    """What the stack was deployed with."""
    calls: ReadCalls = _no_calls
    """The calls of the invocation log."""

    def under_check(self, now: datetime) -> "DeploymentUnderCheck":
        """This deployment as the doctor examines it."""
        from quota_enforcer.doctor.deployment import (  # noqa: PLC0415 - few commands need it
            DeploymentUnderCheck,
        )

        return DeploymentUnderCheck(
            self.settings, self.ledger, self.quotas, self.sample, self.probe(), now
        )

    def context(self, now: datetime) -> Context:
        """What is the same for everybody decided about at this moment, as to the enforcer."""
        settings = self.settings
        if not settings.has_members:
            return settings.context(now)
        members = member_accounts(self.satellites.satellites(), settings.account)
        return settings.context(now, members)

    def sweep(self, *, dry_run: bool = False, confirm_blocks: bool = False) -> dict[str, Any]:
        """Have the enforcer sweep now; returns its report."""
        return self.ask({"action": "sweep", "dry_run": dry_run, "confirm_blocks": confirm_blocks})

    def remove(self, subject: str, name: str, expected: Item | None = None) -> Item | None:
        """Remove an item of the quota table, as `QuotaTable.remove`, and sign it."""
        self.announce_removal(subject, name, self.caller())
        return self.quotas.remove(subject, name, expected)

    def announce_removal(self, subject: str, name: str, by: str) -> None:
        """Have the history say who removes an item.

        An admin who may not write the ledger removes it all the same, as in the console.
        """
        try:
            self.ledger.announce_removal(subject, name, by)
        except Exception as error:
            if not is_refusal(error):
                raise

    def load(self, now: datetime, known: Iterable[Record] | None = None) -> RuleSet:
        """The rules in force, read as the enforcer reads them; `known` if everybody is read."""
        loader = QuotaLoader(self.settings.zone, self.settings.denies, self.settings.account)
        memories = self.ledger.quota_memories()  # first: no item is older than its memory
        loaded = loader.load(self.quotas.items(), memories, now)

        def everybody() -> Iterator[Principal]:
            """Read only if a team has a group."""
            records = self.ledger.everybody() if known is None else known
            yield from (record.principal for record in records)

        return loaded.knowing(everybody())

    def usage_for(
        self,
        principals: Iterable[Principal],
        books: Iterable[QuotaBook],
        context: Context,
        since: date | None = None,
    ) -> ReadBefore:
        """The usage that these principals' quotas by any of the books need, or from `since` on.

        It shows its progress on a terminal.
        """
        several = list(principals)
        firsts: dict[Principal, date] = {}
        hours: list[date] = []
        for book in books:
            days, hours_from = far_back(several, book, context, since)
            firsts |= {who: min(day, firsts.get(who, day)) for who, day in days.items()}
            hours += [] if hours_from is None else [hours_from]
        with how_far(f"Reading the usage of {len(firsts):,} principals") as progressed:
            usages = self.usages(firsts, min(hours, default=None), progressed)
        return ReadBefore(self.ledger, firsts, usages)
