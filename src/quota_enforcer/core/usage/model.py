"""Bedrock model ids: one canonical name for each model, and the scopes that quotas count."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Final

VENDORS = frozenset({
    "ai21", "amazon", "anthropic", "cohere", "deepseek", "google", "luma", "meta", "minimax",
    "mistral", "moonshot", "moonshotai", "nvidia", "openai", "qwen", "stability", "twelvelabs",
    "writer", "xai", "zai",
})  # fmt: skip
"""Whose models Bedrock has had so far; others may come."""

MODEL_SCOPE: Final = r"[A-Za-z0-9*][A-Za-z0-9*._:-]{0,199}"
"""What a model scope looks like; the template's `ModelScopeN` parameters allow the same."""

_GEOGRAPHIES = "us|eu|apac|jp|au|in|ca|sa|me|af|us-gov|global"

_VENDORS = "|".join(sorted(VENDORS))

_GEO_PREFIX = re.compile(
    rf"^(?:(?:{_GEOGRAPHIES})\.(?=[^.]+\.)"
    rf"|(?!(?:{_VENDORS})\.)[a-z][a-z0-9-]+\.(?=(?:{_VENDORS})\.))"
)
"""One of those that AWS has, or one that is new (`jp.` was once): it stands before a vendor."""

_ARN = re.compile(r"arn:aws[\w-]*:bedrock:[^:]*:[^:]*:(?P<type>[a-z-]+)/(?P<id>.+)")

_NAMES_A_MODEL = {"foundation-model", "inference-profile"}


@dataclass(frozen=True, slots=True)
class NamedModel:
    """The model behind a log record's `modelId`."""

    name: str
    """Canonical: what scopes cover."""
    priced_as: str
    """With the geography prefix, which changes the price."""


def named(model_id: str) -> NamedModel:
    """The model that an id names by itself; what only a look-up could resolve keeps its own."""
    return NamedModel(canonical_model(model_id), bare_model(model_id))


def bare_model(model_id: str) -> str:
    """The id without its ARN, geography prefix and all; opaque ARNs as `type/id`."""
    arn = _ARN.fullmatch(model_id)
    if arn is None:
        return model_id
    return arn["id"] if arn["type"] in _NAMES_A_MODEL else f"{arn['type']}/{arn['id']}"


def is_opaque(model_id: str) -> bool:
    """Whether only AWS can say which model this is: application profiles, provisioned, custom."""
    arn = _ARN.fullmatch(model_id)
    return arn is not None and arn["type"] not in _NAMES_A_MODEL


def made_by_people(name: str) -> bool:
    """Whether a model by its canonical name may be one that a caller has made, or so routed.

    Whoever may make an application inference profile can use it and delete it before anybody asks
    what is behind it. Only what a look-up did not resolve keeps such a name: `type/id`, or an ARN.
    """
    return "/" in name


def canonical_model(model_id: str) -> str:
    """The model that a log record's `modelId` means, without ARN and geography prefix.

    `arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-3-haiku-20240307-v1:0` and
    the bare id are the same model. What only a look-up could resolve (application inference
    profiles, provisioned, custom and imported models, prompt routers) stays `type/id`.
    https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
    """
    return _GEO_PREFIX.sub("", bare_model(model_id))


@dataclass(frozen=True, slots=True, order=True)
class ModelScope:
    """One pattern of canonical models that a quota counts, or that its deny closes.

    `*` is every model, anything else with `*` a pattern, and an exact id that model; all with their
    context variants (`ID:200k`).
    """

    pattern: str

    def __str__(self) -> str:
        return self.pattern

    def covers(self, model: str) -> bool:
        """Whether usage of this canonical model counts here."""
        if self.pattern == "*":
            return True
        if "*" in self.pattern:
            return any(fnmatchcase(model, each) for each in (self.pattern, f"{self.pattern}:*"))
        return model == self.pattern or model.startswith(f"{self.pattern}:")

    def includes(self, other: "ModelScope") -> bool:
        """Whether it covers every model that the other does."""
        return self.covers(other.pattern)

    @property
    def of_known_vendor(self) -> bool:
        """Whether it can cover a model of a vendor that Bedrock has had so far."""
        vendor, dot, _ = self.pattern.partition(".")
        literal, star, _ = vendor.partition("*")
        if star:
            return any(known.startswith(literal) for known in VENDORS)
        return bool(dot) and vendor in VENDORS


EVERY_MODEL = ModelScope("*")
EVERYTHING = frozenset({str(EVERY_MODEL)})
"""What is denied where every model is: it includes all other scopes, and costs one policy slot."""


def scopes_of(closed: Iterable[Iterable[ModelScope]]) -> frozenset[str]:
    """The scopes to deny where all these are closed."""
    scopes = frozenset(str(scope) for several in closed for scope in several)
    return EVERYTHING if str(EVERY_MODEL) in scopes else scopes


def adds_denies(scopes: frozenset[str], denied: frozenset[str]) -> bool:
    """Whether denying these closes something that `denied` leaves open."""
    return bool(scopes - denied) and not denied >= EVERYTHING


def in_words(scopes: Iterable[str]) -> str:
    """Scopes as a notice has them: `*`, or each by name."""
    return ", ".join(sorted(scopes))


_OPAQUE_ARN: Final = re.compile(r"arn:[^:]+:bedrock:(?P<region>[^:]*):[^:]*:(?P<type>[a-z-]+)/.+")

APPLICATION_PROFILE: Final = "application-inference-profile"

_SMALL_GEOGRAPHIES: Final = {
    "au": frozenset({"ap-southeast-2", "ap-southeast-4"}),
    "in": frozenset({"ap-south-1", "ap-south-2"}),
    "jp": frozenset({"ap-northeast-1", "ap-northeast-3"}),
}
"""Geographies of a country within `apac`, by all their Regions."""

_PROFILE_PREFIXES: Final = {"ap": "apac"} | {
    own: own for own in ("af", "ca", "eu", "me", "sa", "us")
}
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
        return NamedModel(self.name, self.priced_as)


def opaque_type(arn: str) -> str:
    """The type of a Bedrock resource, such as `provisioned-model`; empty for anything else."""
    found = _OPAQUE_ARN.fullmatch(arn)
    return found["type"] if found else ""


def region_of(arn: str) -> str:
    """The Region in a Bedrock ARN; empty if there is none."""
    found = _OPAQUE_ARN.fullmatch(arn)
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
    wide = _PROFILE_PREFIXES.get(region.partition("-")[0])
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
    return _PROFILE_PREFIXES.get(parts.pop(), "") if len(parts) == 1 else "global"
