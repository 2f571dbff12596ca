"""Models behind opaque ARNs: what AWS told of one, and which deny of a model reaches it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from quota_enforcer.core.usage.model import (
    ModelScope,
    NamedModel,
    bare_model,
    canonical_model,
    is_opaque,
)

_ARN: Final = re.compile(r"arn:[^:]+:bedrock:(?P<region>[^:]*):[^:]*:(?P<type>[a-z-]+)/.+")

APPLICATION_PROFILE: Final = "application-inference-profile"

_SMALL_GEOGRAPHIES: Final = {
    "au": frozenset({"ap-southeast-2", "ap-southeast-4"}),
    "in": frozenset({"ap-south-1", "ap-south-2"}),
    "jp": frozenset({"ap-northeast-1", "ap-northeast-3"}),
}
"""Geographies of a country within `apac`, by all their Regions."""
_GEOGRAPHIES: Final = {"ap": "apac"} | {own: own for own in ("af", "ca", "eu", "me", "sa", "us")}
"""The geography of other Regions, by the first part of their names."""
_GOVERNMENT: Final = "us-gov-"
"""How the names of GovCloud's Regions begin."""


@dataclass(frozen=True, slots=True)
class SeenModel:
    """An opaque ARN that was seen in the log, and what is known of the model behind it."""

    arn: str
    name: str
    """The ARN's own `type/id` while the model is unknown, as is `priced_as`."""
    priced_as: str
    at: datetime
    unresolved: str = ""
    """Why the model is unknown; empty once it is known."""
    retry_at: datetime | None = None
    """From when on AWS is to be asked again."""

    @property
    def model(self) -> NamedModel:
        """As meters count and price it."""
        return NamedModel(self.name, self.priced_as, self.arn)


def opaque_type(arn: str) -> str:
    """The type of a Bedrock resource, such as `provisioned-model`; empty for anything else."""
    found = _ARN.fullmatch(arn)
    return found["type"] if found else ""


def region_of(arn: str) -> str:
    """The Region in a Bedrock ARN; empty if there is none."""
    found = _ARN.fullmatch(arn)
    return found["region"] if found else ""


def model_behind(arns: Iterable[str]) -> tuple[str, str] | None:
    """Name and price name of the one model that these foundation models' ARNs are.

    The price name has the prefix of the system profile that routes to the same Regions: none for
    one Region. None if they are no model, or several.
    https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
    """
    found = set(arns)
    names = {canonical_model(arn) for arn in found}
    if len(names) != 1 or any(map(is_opaque, found)):
        return None
    (name,) = names
    geography = _geography({region_of(arn) for arn in found})
    return name, f"{geography}.{name}" if geography else name


def prefixes_near(region: str) -> list[str]:
    """The prefixes of the system profiles that stay near a Region, the smallest geography first."""
    if region.startswith(_GOVERNMENT):
        return ["us-gov"]
    near = [prefix for prefix, small in _SMALL_GEOGRAPHIES.items() if region in small]
    wide = _GEOGRAPHIES.get(region.partition("-")[0])
    return [*near, wide] if wide else near


def left_open(scope: str, seen: SeenModel) -> bool:
    """Whether calls through this ARN count to a model scope and pass the static deny of it.

    The deny of everything closes all. That of a model names foundation models, which AWS checks for
    application inference profiles too, but not, as far as we know, for capacity and models that are
    the account's own.
    """
    if scope == "*" or opaque_type(seen.arn) == APPLICATION_PROFILE:
        return False
    return ModelScope(scope).covers(seen.name)


def unresolved(arn: str, why: str, at: datetime, retry_at: datetime) -> SeenModel:
    """An ARN that keeps its own name for now."""
    return SeenModel(arn, bare_model(arn), bare_model(arn), at, why, retry_at)


def _geography(regions: set[str]) -> str:
    """The prefix of the system profiles over these Regions; empty if there is none.

    Only global profiles name a model without a Region, or reach over several geographies.
    """
    if "" in regions:
        return "global"
    if len(regions) == 1:
        return ""
    for prefix, small in _SMALL_GEOGRAPHIES.items():
        if regions <= small:
            return prefix
    if all(region.startswith(_GOVERNMENT) for region in regions):
        return "us-gov"
    # Canada's own callers of the `us` profiles are served in Canada as well.
    parts = {region.partition("-")[0] for region in regions}
    if parts == {"us", "ca"}:
        return "us"
    return _GEOGRAPHIES.get(parts.pop(), "") if len(parts) == 1 else "global"
