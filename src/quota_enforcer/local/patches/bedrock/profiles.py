"""Inference profiles: what IAM calls them, and the models behind them.

https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
AWS takes a profile's id or its ARN in GetInferenceProfile; the emulator knows no ARN.
AWS answers with the foundation models that a profile leads to, also where an application's profile
was made from a system-defined one; the emulator answers with what it was made from.
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from ministack.services import bedrock

_OK: Final = 200
_PROFILE_ID: Final = re.compile(r"(us|eu|apac|jp|au|in|ca|us-gov|global)\.(?P<model>.+)")


def install() -> None:
    """Find a profile by its ARN too."""
    plain = bedrock._get_inference_profile

    def get(identifier: str) -> Any:
        status, headers, body = plain(identifier.rpartition("/")[2])
        if status != _OK:
            return status, headers, body
        profile = json.loads(body)
        profile["models"] = [
            {"modelArn": model}
            for each in profile["models"]
            for model in list(models_behind(each["modelArn"])) or [each["modelArn"]]
        ]
        return status, headers, json.dumps(profile).encode()

    bedrock._get_inference_profile = get


def model_arn(model_id: str, region: str, account: str) -> str:
    """What IAM calls the model of a request: a foundation model or an inference profile."""
    if model_id.startswith("arn:"):
        return model_id
    if _PROFILE_ID.fullmatch(model_id):
        return f"arn:aws:bedrock:{region}:{account}:inference-profile/{model_id}"
    return f"arn:aws:bedrock:{region}::foundation-model/{model_id}"


def models_behind(arn: str) -> Iterator[str]:
    """The foundation models that an inference profile leads to; none for any other ARN."""
    kind, _, identifier = arn.split(":", 5)[-1].partition("/")  # an id may hold colons
    if kind == "application-inference-profile":
        profile = bedrock._inference_profiles_apps.get(identifier) or {"Models": []}
        for model in profile["Models"]:
            behind = list(models_behind(model["ModelArn"]))
            yield from behind or [model["ModelArn"]]
    elif kind == "inference-profile" and (known := _PROFILE_ID.fullmatch(identifier)):
        region = arn.split(":")[3]
        yield f"arn:aws:bedrock:{region}::foundation-model/{known['model']}"
        if identifier.startswith("global."):
            yield f"arn:aws:bedrock:::foundation-model/{known['model']}"
