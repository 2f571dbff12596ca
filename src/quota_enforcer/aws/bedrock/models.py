"""Models behind opaque ARNs, as Bedrock tells them: asked once, remembered in the ledger.

Metering never waits for an answer that does not come: such a model keeps its own name, and Bedrock
is asked again later. A ledger that cannot be read is another matter: the call could not be metered
either, so that error is the caller's.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from quota_enforcer import clock
from quota_enforcer.core.usage.model import (
    APPLICATION_PROFILE,
    NamedModel,
    SeenModel,
    is_opaque,
    model_behind,
    named,
    opaque_type,
    region_of,
    unresolved,
)

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient

    from quota_enforcer.aws.dynamodb.ledger.usage.model_memory import DynamoModelMemory

_FIRM: Final = frozenset({
    "AccessDeniedException", "ResourceNotFoundException", "ValidationException",
})  # fmt: skip
"""What Bedrock will say again in a moment."""
_LATER: Final = timedelta(hours=1)
_SOON: Final = timedelta(minutes=1)
_AT_ONCE: Final = timedelta(seconds=10)
"""For so long a ledger that could not be read is not tried again: a batch may name it often."""
_LONGEST_CHAIN: Final = 5
"""A custom model may be made from a custom model."""
_log = logging.getLogger(__name__)


class _Unknown(Exception):
    """Nobody can say which model this is; the message says why."""


class BedrockModels:
    """The `Models`: the control plane of one Region, and what the ledger remembers of its answers.

    Prompt routers, imported models, marketplace endpoints and prompts keep their own names: a
    router answers by several models, and AWS names no foundation model of the others.
    """

    def __init__(
        self,
        client: "BedrockClient",
        memory: "DynamoModelMemory",
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._client = client
        self._memory = memory
        self._now = now
        self._seen: dict[str, SeenModel] | None = None
        self._silent_until: datetime | None = None
        self._unreadable: tuple[datetime, Exception] | None = None

    def named(self, model_id: str) -> NamedModel:
        """The model; one that cannot be found out keeps the name that its id has.

        Raises what boto3 raises if the ledger cannot be read.
        """
        if not is_opaque(model_id):
            return named(model_id)
        if self._seen is None:
            self._seen = self._remembered(self._now())
        seen = self._seen.get(model_id)
        if seen is None or (seen.retry_at is not None and seen.retry_at <= self._now()):
            found = self._ask(model_id, self._now())
            if found.unresolved and (seen is None or seen.unresolved != found.unresolved):
                _log.warning("model %s keeps its own name: %s", model_id, found.unresolved)
            seen = self._seen[model_id] = found
        return seen.model

    def _remembered(self, now: datetime) -> dict[str, SeenModel]:
        """All at once: a batch may name as many profiles as there are callers."""
        if self._unreadable is not None and now < self._unreadable[0]:
            raise self._unreadable[1]
        try:
            return {each.arn: each for each in self._memory.models()}
        except (BotoCoreError, ClientError) as error:
            self._unreadable = now + _AT_ONCE, error
            raise

    def _ask(self, arn: str, now: datetime) -> SeenModel:
        """What Bedrock says now, remembered; nothing is asked while it does not answer."""
        if self._silent_until is not None and now < self._silent_until:
            return unresolved(arn, "Bedrock does not answer", now, self._silent_until)
        try:
            name, priced_as = _single(self._behind(arn, _LONGEST_CHAIN))
        except _Unknown as unknown:
            found = unresolved(arn, str(unknown), now, now + _LATER)
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            if code not in _FIRM:
                self._silent_until = now + _SOON
            wait = _LATER if code in _FIRM else _SOON
            found = unresolved(arn, f"Bedrock says {code}: {message}", now, now + wait)
        except BotoCoreError as error:
            self._silent_until = now + _SOON
            found = unresolved(arn, f"Bedrock does not answer: {error}", now, now + _SOON)
        else:
            found = SeenModel(arn, name, priced_as, now)
        try:
            return self._memory.remember(found)
        except (BotoCoreError, ClientError) as error:
            _log.warning("what is known of model %s is not remembered: %s", arn, error)
            return found

    def _behind(self, arn: str, chain: int) -> Sequence[str]:
        """The foundation models' ARNs behind one ARN; raises what boto3 raises, or _Unknown."""
        here, own = region_of(arn), self._client.meta.region_name
        if is_opaque(arn) and here != own:
            raise _Unknown(f"it is of Region {here or 'none'}, and this deployment asks {own}")
        if chain == 0:
            raise _Unknown(f"more than {_LONGEST_CHAIN} models are made from one another here")
        match opaque_type(arn):
            case "foundation-model":
                return [arn]
            case kind if kind == APPLICATION_PROFILE:
                profile = self._client.get_inference_profile(inferenceProfileIdentifier=arn)
                return [each["modelArn"] for each in profile["models"]]
            case "provisioned-model":
                capacity = self._client.get_provisioned_model_throughput(provisionedModelId=arn)
                return [capacity["foundationModelArn"]]
            case "custom-model-deployment":
                deployed = self._client.get_custom_model_deployment(
                    customModelDeploymentIdentifier=arn
                )
                return self._behind(deployed["modelArn"], chain - 1)
            case "custom-model":
                custom = self._client.get_custom_model(modelIdentifier=arn)
                return self._behind(custom.get("baseModelArn", ""), chain - 1)
            case kind:
                raise _Unknown(f"AWS names no foundation model behind type {kind or 'unknown'}")


def _single(arns: Sequence[str]) -> tuple[str, str]:
    behind = model_behind(arns)
    if behind is None:
        raise _Unknown(f"it leads to {', '.join(sorted(arns)) or 'no model'}, not to one model")
    return behind
