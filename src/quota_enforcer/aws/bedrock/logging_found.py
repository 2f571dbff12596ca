"""Invocation logging as it is, for the doctor; apart, so that set-up loads no doctor."""

from typing import TYPE_CHECKING

from quota_enforcer.doctor.rules.logging import LoggingFound

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient


def logging_found(client: "BedrockClient") -> LoggingFound | None:
    """The configuration in force in the client's Region, if any; asked once, without patience."""
    found = client.get_model_invocation_logging_configuration().get("loggingConfig") or {}
    if not found:
        return None
    group, bucket = found.get("cloudWatchConfig"), found.get("s3Config")
    return LoggingFound(
        log_group=group["logGroupName"] if group else "",
        role=group["roleArn"] if group else "",
        bucket=bucket["bucketName"] if bucket else "",
        prefix=bucket.get("keyPrefix", "") if bucket else "",
        # Bedrock's default, where nothing is said, is to deliver text.
        bodies=found.get("textDataDeliveryEnabled", True),
    )
