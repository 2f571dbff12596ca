"""Bedrock model ids: one canonical name for each model, and the scopes that quotas count."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

VENDORS = frozenset({
    "ai21", "amazon", "anthropic", "cohere", "deepseek", "google", "luma", "meta", "minimax",
    "mistral", "moonshot", "moonshotai", "nvidia", "openai", "qwen", "stability", "twelvelabs",
    "writer", "xai", "zai",
})  # fmt: skip
"""Whose models Bedrock has had so far; others may come."""
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
    opaque: str = ""
    """The ARN that had to be looked up; empty for all others."""


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
    """One pattern of canonical models that a quota counts and its deny closes.

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


EVERY_MODEL = ModelScope("*")
