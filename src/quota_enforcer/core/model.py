"""Bedrock model ids: one canonical name for each model, and the scopes that quotas count."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

_GEOGRAPHIES = "us|eu|apac|jp|au|ca|sa|me|af|us-gov|global"
_GEO_PREFIX = re.compile(rf"^(?:{_GEOGRAPHIES})\.(?=[^.]+\.)")
_ARN = re.compile(r"arn:aws[\w-]*:bedrock:[^:]*:[^:]*:(?P<type>[a-z-]+)/(?P<id>.+)")
_NAMES_A_MODEL = {"foundation-model", "inference-profile"}


def canonical_model(model_id: str) -> str:
    """The model that a log record's `modelId` means, without ARN and geography prefix.

    `arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-3-haiku-20240307-v1:0` and
    the bare id are the same model. What only a look-up could resolve (application inference
    profiles, provisioned, custom and imported models, prompt routers) stays `type/id`.
    https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
    """
    arn = _ARN.fullmatch(model_id)
    if arn is not None:
        if arn["type"] not in _NAMES_A_MODEL:
            return f"{arn['type']}/{arn['id']}"
        model_id = arn["id"]
    return _GEO_PREFIX.sub("", model_id)


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
