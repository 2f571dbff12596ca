"""The account that is looked at before anything is deployed, and each check of it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final, TypeVar

from quota_enforcer.core.policies.callers.doctor import BEFORE_NEEDS
from quota_enforcer.core.policies.names import SERVICE_LINKED_PATH
from quota_enforcer.doctor.before import identities, traffic
from quota_enforcer.doctor.before.facts import AccountProbe, CallSeen, RegionFound
from quota_enforcer.doctor.before.grants import CallerByPolicy, callers_by_policy
from quota_enforcer.doctor.before.identities import Asked
from quota_enforcer.doctor.before.next_steps import AccountFound
from quota_enforcer.doctor.deployment import Memoised
from quota_enforcer.doctor.finding import Diagnosis, diagnosis

DAYS: Final = 14
"""How far back traffic is looked for: CloudWatch lists no metric that had no data for longer."""
MOST_ASKED: Final = 50
"""Users and roles that IAM's simulator is asked about: it answers few such questions a second."""
_AT_ONCE: Final = 3
_REGIONS_AT_ONCE: Final = 8
_Read = TypeVar("_Read")


class AccountUnderCheck:
    """One account at one moment, as every check sees it."""

    def __init__(self, probe: AccountProbe, now: datetime) -> None:
        self.probe = probe
        self.now = now
        self.since = now - timedelta(days=DAYS)
        self.where = Memoised(probe.whereabouts)
        self.authorizations = Memoised(probe.authorizations)
        self.callers = Memoised(self._callers)
        self.asked = Memoised(self._asked)
        self.regions = Memoised(self._regions)
        self.calls = Memoised(self._calls)

    def found(self, stack: str) -> AccountFound:
        """What was read, for the commands; what could not be read is left out."""
        asked = _read(self.asked)
        callers = _read(self.callers) if asked is None else asked.allowed
        return AccountFound(self.where(), stack, callers, _read(self.regions))

    def _callers(self) -> list[CallerByPolicy]:
        """AWS's own roles call for AWS, and nobody can deny them."""
        return [
            each
            for each in callers_by_policy(self.authorizations())
            if not each.identity.path.startswith(SERVICE_LINKED_PATH)
        ]

    def _asked(self) -> Asked:
        """Those first who were used last."""
        where, callers = self.where(), self.callers()
        some = sorted(callers, key=_last_used, reverse=True)[:MOST_ASKED]

        def is_refused(caller: CallerByPolicy) -> bool:
            # What holds under conditions only, no simulation can refuse.
            if any(grant.conditional for grant in caller.grants):
                return False
            keys = [grant.key(where) for grant in caller.grants]
            return not self.probe.may(caller.identity.arn(where), keys)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            answers = list(pool.map(is_refused, some))
        refused = (
            str(each.identity.principal) for each, no in zip(some, answers, strict=True) if no
        )
        return Asked(callers, len(some), frozenset(refused))

    def _regions(self) -> list[RegionFound]:
        with ThreadPoolExecutor(_REGIONS_AT_ONCE) as pool:
            return list(pool.map(self._region, self.probe.regions()))

    def _region(self, name: str) -> RegionFound:
        """One Region; if it cannot be asked, the others still are."""
        try:
            return self.probe.region(name, self.since, self.now)
        except Exception as error:  # noqa: BLE001 - kept as the finding that it is
            problem = self.probe.problem(error)
            if problem.is_of_organization:
                return RegionFound(name, closed=True)
            trouble = problem.why(BEFORE_NEEDS["traffic"])
            return RegionFound(name, trouble=trouble, refused=problem.is_refusal)

    def _calls(self) -> list[CallSeen]:
        used = self.used()
        with ThreadPoolExecutor(_REGIONS_AT_ONCE) as pool:
            found = pool.map(lambda name: self.probe.calls(name, self.since), used)
        return [call for several in found for call in several]

    def used(self) -> list[str]:
        """The Regions with traffic."""
        return [each.name for each in self.regions() if each.calls or each.mantle]


def _last_used(caller: CallerByPolicy) -> tuple[bool, str]:
    last = caller.identity.last_used
    return last is not None, last.isoformat() if last else ""


def _read(reading: Callable[[], _Read]) -> _Read | None:
    try:
        return reading()
    except Exception:  # noqa: BLE001 - that it failed is a finding of a check already
        return None


def may_call(account: AccountUnderCheck) -> Diagnosis:
    """Who may call Bedrock."""
    everybody = len(account.authorizations().identities)
    return identities.who_may_call(account.asked(), everybody, account.now)


def called(account: AccountUnderCheck) -> Diagnosis:
    """Who did."""
    found = identities.who_called(account.calls(), account.used(), account.where().account)
    # In a Region that could not be asked for traffic nobody looked for callers.
    return diagnosis(found.fine, [*found.findings, *traffic.unasked(account.regions())])


def shared(account: AccountUnderCheck) -> Diagnosis:
    """Which roles several people share."""
    names = identities.session_names_seen(_read(account.calls) or [], account.where().account)
    return identities.shared_roles_found(account.asked().allowed, names, account.now)


def room(account: AccountUnderCheck) -> Diagnosis:
    """Whether a deny could reach those who may call."""
    return identities.room_for_denies(account.asked().allowed, account.probe.slots())


def logging(account: AccountUnderCheck) -> Diagnosis:
    """Where invocation logging is on already."""
    return traffic.logging_found_in(account.regions())


def regions(account: AccountUnderCheck) -> Diagnosis:
    """Where Bedrock is used."""
    return traffic.traffic_found(account.regions(), DAYS)


def accounts(account: AccountUnderCheck) -> Diagnosis:
    """Which other accounts use Bedrock."""
    here = account.where().account
    linked = frozenset(each for region in account.regions() for each in region.linked) - {here}
    try:
        others = [each for each in account.probe.accounts() if each.id != here]
    except Exception as error:  # noqa: BLE001 - most accounts may not ask, and nothing is wrong
        problem = account.probe.problem(error)
        return traffic.accounts_unknown(problem.why(BEFORE_NEEDS["accounts"]), linked)
    return traffic.accounts_found(others, linked, DAYS)


def coverage(account: AccountUnderCheck) -> Diagnosis:
    """What share of the traffic quotas would count."""
    return traffic.coverage_found(account.regions(), DAYS)
