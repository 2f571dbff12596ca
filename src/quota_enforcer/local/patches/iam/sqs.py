"""How IAM authorises batches of messages: by the action of one message, for there is no other.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
The emulator asks for `sqs:SendMessageBatch`, which no policy can name.
"""

from typing import Any, Final

from ministack.core import iam_actions

_BATCH: Final = "Batch"


def install() -> None:
    """Ask for what IAM asks for from now on."""
    plain = iam_actions.extract_iam_action

    def action(*request: Any, **named: Any) -> str | None:
        found: str | None = plain(*request, **named)
        return found.removesuffix(_BATCH) if found and found.startswith("sqs:") else found

    iam_actions.extract_iam_action = action
