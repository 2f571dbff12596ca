"""The webhook's signing secret, and a message of its queue that is to come later."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

KEPT: Final = timedelta(minutes=5)
"""How long a secret is not read again; each reading costs."""
_STAGES: Final = ("AWSCURRENT", "AWSPREVIOUS")


class SecretsManagerClient(Protocol):
    """What is called of boto3's client."""

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> Any:  # noqa: N803 - boto3's
        ...


class SigningSecrets:
    """One secret of Secrets Manager: the current value, and the one before it.

    What was rotated signs besides, so that receivers need not change at the same moment.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
    """

    def __init__(self, client: SecretsManagerClient, arn: str) -> None:
        self._client = client
        self._arn = arn
        self._known: tuple[str, ...] = ()
        self._read_at: datetime | None = None

    def read(self, now: datetime) -> tuple[str, ...]:
        """The values, the current one first."""
        if self._read_at is None or not timedelta(0) <= now - self._read_at < KEPT:
            current, before = (self._value(stage) for stage in _STAGES)
            if current is None:
                raise LookupError(f"{self._arn} has no current value")
            self._known = (current,) if before in {None, current} else (current, str(before))
            self._read_at = now
        return self._known

    def _value(self, stage: str) -> str | None:
        try:
            answer = self._client.get_secret_value(SecretId=self._arn, VersionStage=stage)
        except ClientError as error:
            is_absent = error.response["Error"]["Code"] == "ResourceNotFoundException"
            if is_absent and stage != _STAGES[0]:
                return None
            raise
        return str(answer["SecretString"])


def put_off(client: "SQSClient", queue_url: str, receipt_handle: str, seconds: int) -> None:
    """Have the queue hand out a message that is being worked on again only then, 12 h at most.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
    """
    client.change_message_visibility(
        QueueUrl=queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
    )
