"""The calls of the AWS CLI that roll satellites out: a stack set, or a stack in each own Region."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.names import checked_account, checked_region
from quota_enforcer.core.usage.place import Place
from quota_enforcer.satellites.names import (
    NO_SATELLITES,
    OWN_REGIONS,
    Part,
    external_id,
    role_name,
)
from quota_enforcer.satellites.registry import Satellite

TEMPLATE: Final = "satellite.yaml"
_UNIT: Final = re.compile(r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}", re.ASCII)
_PLAIN: Final = re.compile(r"[\w:/.@+-]*", re.ASCII)
"""Values that the AWS CLI's `Name=Value` takes as they are."""
OWN: Final = (
    "AccountRegion",
    "ExistingLogGroup",
    "LogPromptsAndAnswers",
    "LogRetentionDays",
    "ManageLogging",
    "NoticeEmail",
    "PermissionsBoundary",
)
"""Parameters of satellite.yaml that are not home's: an update keeps them."""


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A command to paste, and why."""

    command: str
    why: str


@dataclass(frozen=True, slots=True)
class HomeOfPlan:
    """What the calls take from the home stack."""

    stack: str
    stack_id: str
    place: Place
    satellites: str
    """Its parameter Satellites."""
    followed: Mapping[str, str]
    """What it alone decides: `following.followed`."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """Where satellites are wanted: of neither units nor accounts, in home's own account."""

    regions: Sequence[str]
    units: Sequence[str] = ()
    accounts: Sequence[str] = ()
    account_region: str = ""
    """Which Region makes what an account has once; the first one if empty."""
    delegated: bool = False
    """Whether a delegated administrator calls, and not the management account."""
    email: str = ""


def rollout(home: HomeOfPlan, wanted: Rollout) -> list[PlannedCall]:
    """The calls that make the satellites. Raises InvalidPolicyInput."""
    _check(home, wanted)
    given = {**dictated(home), "AccountRegion": wanted.account_region or wanted.regions[0]}
    if wanted.email:
        given["NoticeEmail"] = wanted.email
    filled = {name: value for name, value in given.items() if value}
    if not wanted.units and not wanted.accounts:
        return [
            PlannedCall(
                _stack_call("create-stack", home, region, _parameters(filled)),
                f"home's own account, {region}",
            )
            for region in wanted.regions
            if region != home.place.region
        ]
    return list(_of_a_set(home, wanted, filled))


def update(
    home: HomeOfPlan, outdated: Sequence[Satellite], *, delegated: bool = False
) -> list[PlannedCall]:
    """The calls after which these satellites have home's version and parameters."""
    parameters = _parameters(dictated(home), kept=OWN)
    of_set = [each for each in outdated if _name(each).startswith("StackSet-")]
    calls = []
    if of_set:
        command = _joined(
            f"aws cloudformation update-stack-set --stack-set-name {set_name(home.stack)}",
            f"--template-body file://{TEMPLATE} --capabilities CAPABILITY_NAMED_IAM",
            _PREFERENCES,
            *_called_as(delegated=delegated),
            parameters,
        )
        calls = [PlannedCall(command, f"{len(of_set)} satellites of the stack set")]
    for each in outdated:
        if each not in of_set:
            region = each.place.region
            call = _stack_call("update-stack", home, region, parameters, name=_name(each))
            calls.append(PlannedCall(call, f"{each.place}, with credentials of that account"))
    return calls


def set_name(stack: str) -> str:
    """What the stack set of a home is called."""
    return f"{stack}-satellites"


_PREFERENCES: Final = (
    "--operation-preferences RegionConcurrencyType=PARALLEL,"
    "MaxConcurrentPercentage=100,FailureTolerancePercentage=20"
)


def _of_a_set(home: HomeOfPlan, wanted: Rollout, given: Mapping[str, str]) -> Iterator[PlannedCall]:
    name, called_as = set_name(home.stack), _called_as(delegated=wanted.delegated)
    if wanted.units:
        model = (
            "--permission-model SERVICE_MANAGED "
            "--auto-deployment Enabled=true,RetainStacksOnAccountRemoval=false"
        )
        # No satellite stands beside home, and its other Regions take stacks of their own.
        targets = (
            f"--deployment-targets OrganizationalUnitIds={_listed(wanted.units)},"
            f"Accounts={home.place.account},AccountFilterType=DIFFERENCE"
        )
        who = "the organisation's management account, or a delegated administrator's (--delegated)"
    else:
        model = "--permission-model SELF_MANAGED"
        targets = f"--accounts {' '.join(wanted.accounts)}"
        who = "an account whose AWSCloudFormationStackSetAdministrationRole these accounts trust"
    yield PlannedCall(
        _joined(
            f"aws cloudformation create-stack-set --stack-set-name {name}",
            f"--template-body file://{TEMPLATE} --capabilities CAPABILITY_NAMED_IAM",
            model,
            "--managed-execution Active=true",
            *called_as,
            _parameters(given),
        ),
        f"once, in {who}",
    )
    yield PlannedCall(
        _joined(
            f"aws cloudformation create-stack-instances --stack-set-name {name}",
            targets,
            f"--regions {' '.join(wanted.regions)}",
            _PREFERENCES,
            *called_as,
        ),
        "again whenever there are more of them",
    )


def _check(home: HomeOfPlan, wanted: Rollout) -> None:
    role_name(home.stack, Part.READER, "ap-southeast-2")  # raises where no role's name has room
    _check_names(wanted)
    if wanted.units and wanted.accounts:
        raise InvalidPolicyInput("--units and --accounts are two ways to say it: give one of them")
    if wanted.account_region and wanted.account_region not in wanted.regions:
        raise InvalidPolicyInput(
            f"{wanted.account_region} is to make what an account has once, and is none of the "
            f"Regions: {', '.join(wanted.regions)}"
        )
    if home.place.account in wanted.accounts:
        raise InvalidPolicyInput(
            f"{home.place.account} is home's own account: leave out --accounts, and its further "
            "Regions are planned by themselves"
        )
    members = bool(wanted.units or wanted.accounts)
    if not members and not {*wanted.regions} - {home.place.region}:
        raise InvalidPolicyInput(
            f"{home.place.region} is where home itself stands: name other Regions, or --units or "
            "--accounts"
        )
    if home.satellites == NO_SATELLITES or (members and home.satellites == OWN_REGIONS):
        value = "the id of your organisation (o-...)" if members else OWN_REGIONS
        raise InvalidPolicyInput(
            f"stack {home.stack} has Satellites={home.satellites}, so it would refuse them: deploy "
            f"it with Satellites set to {value} first"
        )


def _check_names(wanted: Rollout) -> None:
    for region in (*wanted.regions, *filter(None, [wanted.account_region])):
        if checked_region(region) == "*":
            raise InvalidPolicyInput("'*' is no Region here: name each, such as eu-west-1")
    for unit in wanted.units:
        if not _UNIT.fullmatch(unit):
            raise InvalidPolicyInput(
                f"{unit!r} is no organisational unit: write its id, such as ou-ab12-11111111, or "
                "r-ab12 for all accounts"
            )
    for account in wanted.accounts:
        checked_account(account)


def dictated(home: HomeOfPlan) -> Mapping[str, str]:
    """The parameters of satellite.yaml that are home's to say."""
    return {
        "HomeStack": home.stack,
        "HomeStackId": home.stack_id,
        "HomeAccount": home.place.account,
        "HomeRegion": home.place.region,
        "ExternalId": external_id(home.stack_id),
        **home.followed,
    }


def _stack_call(
    what: str, home: HomeOfPlan, region: str, parameters: str, *, name: str = ""
) -> str:
    return _joined(
        f"aws cloudformation {what} --region {region} --stack-name "
        f"{name or f'{home.stack}-satellite'}",
        f"--template-body file://{TEMPLATE} --capabilities CAPABILITY_NAMED_IAM",
        parameters,
    )


def _parameters(values: Mapping[str, str], kept: Sequence[str] = ()) -> str:
    given = [f"ParameterKey={name},ParameterValue={_quoted(v)}" for name, v in values.items()]
    given += [f"ParameterKey={name},UsePreviousValue=true" for name in kept]
    return " \\\n    ".join(["--parameters", *map(shlex.quote, given)])


def _quoted(value: str) -> str:
    """As a value of the AWS CLI's `Name=Value,Name=Value`, in which a comma would end it.

    https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-shorthand.html
    """
    return value if _PLAIN.fullmatch(value) else f'"{value}"'


def _called_as(*, delegated: bool) -> tuple[str, ...]:
    return ("--call-as DELEGATED_ADMIN",) if delegated else ()


def _listed(values: Sequence[str]) -> str:
    return ",".join(values)


def _joined(*parts: str) -> str:
    return " \\\n  ".join(parts)


def _name(satellite: Satellite) -> str:
    return satellite.stack_id.split("/")[1]
