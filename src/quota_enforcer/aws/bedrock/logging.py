"""Bedrock's model invocation logging: one configuration for each account and Region.

It has no CloudFormation resource, and whoever writes it overwrites whatever was there. So it is
read before it is written, and only a configuration that names this stack's own role is changed.
https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import tenacity
from botocore.exceptions import ClientError

from quota_enforcer.core.errors import ConfigError

if TYPE_CHECKING:
    from botocore.model import StructureShape
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_bedrock.type_defs import CloudWatchConfigTypeDef, LoggingConfigTypeDef

PATIENCE: Final = 180
"""Seconds for IAM to settle; a new role is usually seen within ten."""
KINDS: Final = ("text", "image", "embedding", "video", "audio")
"""What of a call a record may hold."""
_PAUSE: Final = 5
_UNSETTLED: Final = frozenset({"ValidationException", "AccessDeniedException"})
"""Bedrock cannot use the log role yet, or IAM does not know the caller's own permissions yet."""


@dataclass(frozen=True, slots=True)
class WantedLogging:
    """What a stack wants: `roles` are its log role now and, after a change, before."""

    log_group: str
    role: str
    bodies: bool
    """Whether prompts and answers are logged too."""
    former_role: str = ""
    may_change: bool = True
    """Whether the stack may change the configuration: parameter ManageLogging."""

    @property
    def roles(self) -> frozenset[str]:
        """By whichever of these a configuration writes, it is this stack's."""
        return frozenset({self.role, self.former_role} - {""})


class InvocationLogging:
    """The logging configuration of the client's account and Region."""

    def __init__(
        self, client: "BedrockClient", pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._settled = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_is_unsettled),
            stop=tenacity.stop_after_attempt(PATIENCE // _PAUSE),
            wait=tenacity.wait_fixed(_PAUSE),
            sleep=pause,
            reraise=True,
        )

    def ensure(self, wanted: WantedLogging) -> str:
        """Have calls logged to the wanted group; says what was done.

        Raises ConfigError, with the template parameter to set, if somebody else's configuration
        does not reach that group, or if Bedrock cannot write to it.
        """
        current = self._current()
        writer = _role(current)
        if current and writer not in wanted.roles:
            _check_reaches(current, wanted.log_group)
            return f"left alone: somebody else has calls logged to {wanted.log_group}"
        ours = self._ours(current, wanted)
        if current == ours:
            return f"unchanged: calls are logged to {wanted.log_group}"
        if not wanted.may_change:
            state = "is not as the parameters say" if current else "is off"
            raise ConfigError(
                f"Bedrock's invocation logging {state} and ManageLogging is false, so set-up "
                "may not change it: set it to true for this, "
                f"or log to {wanted.log_group} yourself"
            )
        self._put(ours, wanted.log_group)
        return f"switched on: calls are logged to {wanted.log_group}"

    def withdraw(self, wanted: WantedLogging) -> str:
        """Take away what `ensure` made, and nothing that others made; says what was done."""
        current = self._current()
        if _role(current) not in wanted.roles:
            return "left alone: the logging configuration is not this stack's"
        if not wanted.may_change:
            return (
                f"left alone, since ManageLogging is false: Bedrock is still told to log to "
                f"{wanted.log_group} by a role that goes with the stack; switch it off yourself"
            )
        if "s3Config" in current:  # somebody added a bucket to ours
            rest = current.copy()
            del rest["cloudWatchConfig"]
            self._settled(
                self._client.put_model_invocation_logging_configuration, loggingConfig=rest
            )
            return "switched off for the log group; the bucket that somebody added stays"
        self._settled(self._client.delete_model_invocation_logging_configuration)
        return "switched off"

    def _current(self) -> "LoggingConfigTypeDef":
        answer = self._settled(self._client.get_model_invocation_logging_configuration)
        return answer.get("loggingConfig") or {}

    def _ours(
        self, current: "LoggingConfigTypeDef", wanted: WantedLogging
    ) -> "LoggingConfigTypeDef":
        """This stack's configuration, with what somebody may have added to it (buckets).

        Of the flags those that the runtime's boto3 knows: it refuses others without asking AWS.
        """
        target: CloudWatchConfigTypeDef = {"logGroupName": wanted.log_group, "roleArn": wanted.role}
        before = current.get("cloudWatchConfig", target)
        if "largeDataDeliveryS3Config" in before:
            target["largeDataDeliveryS3Config"] = before["largeDataDeliveryS3Config"]
        flags = {f"{kind}DataDeliveryEnabled": wanted.bodies for kind in KINDS}
        known = {name: value for name, value in flags.items() if name in self._known}
        return cast("LoggingConfigTypeDef", {**current, "cloudWatchConfig": target, **known})

    @property
    def _known(self) -> Collection[str]:
        """What a logging configuration may say, as the client's own model of Bedrock has it."""
        put = self._client.meta.service_model.operation_model(
            "PutModelInvocationLoggingConfiguration"
        )
        config = cast("StructureShape", put.input_shape).members["loggingConfig"]
        return cast("StructureShape", config).members

    def _put(self, config: "LoggingConfigTypeDef", log_group: str) -> None:
        try:
            self._settled(
                self._client.put_model_invocation_logging_configuration, loggingConfig=config
            )
        except ClientError as error:
            if not _is_unsettled(error):
                raise
            raise ConfigError(
                f"Bedrock cannot write to log group {log_group}, tried for {PATIENCE} s: "
                f"{error.response['Error']['Message'][:100]}. "
                "Is it in this Region and of the Standard class? See parameter ExistingLogGroup",
            ) from error


def _role(config: "LoggingConfigTypeDef") -> str:
    return config["cloudWatchConfig"]["roleArn"] if "cloudWatchConfig" in config else ""


def _check_reaches(config: "LoggingConfigTypeDef", log_group: str) -> None:
    """Raise ConfigError unless a foreign configuration logs to this group."""
    reached = config["cloudWatchConfig"]["logGroupName"] if "cloudWatchConfig" in config else ""
    if reached == log_group:
        return
    # CloudFormation shows only the last 240 characters, so the fix comes last.
    if reached:
        raise ConfigError(
            "Bedrock's invocation logging is set up in this Region already, and not by this "
            f"stack. To use it, set parameter ExistingLogGroup to {reached}",
        )
    raise ConfigError(
        "Bedrock's invocation logging is set up in this Region already, without a log group. "
        "Add one to it in the Bedrock console and set parameter ExistingLogGroup to its name",
    )


def _is_unsettled(error: BaseException) -> bool:
    return isinstance(error, ClientError) and error.response["Error"]["Code"] in _UNSETTLED
