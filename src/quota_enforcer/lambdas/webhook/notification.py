"""What is posted: read from what the topic left in the queue."""

import json
from hashlib import sha256
from typing import Any, Final, NamedTuple

_LETTERS: Final = 32


class Webhook(NamedTuple):
    """One webhook: the same thing has the same id, however often it is posted."""

    id: str
    body: bytes


class NoNotification(ValueError):
    """What is in the queue is nothing that the topic writes."""


def webhook_of(text: str) -> Webhook:
    """What is posted of the body of a message of the queue, which is SNS's envelope.

    A notice brings its event with it; an alarm is what CloudWatch says, and all else its text.
    Raises NoNotification for what SNS did not write.
    https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html
    """
    match _json(text):
        case {"MessageId": str(id_), "Message": str(message), "Timestamp": str(at), **rest}:
            event = _notice(rest.get("MessageAttributes")) or _other(
                message, at, str(rest.get("Subject") or "")
            )
            named = str(event["data"].get("id") or id_)
            digest = sha256(named.encode()).hexdigest()[:_LETTERS]
            body = json.dumps(event, separators=(",", ":")).encode()
            return Webhook(f"msg_{digest}", body)
    raise NoNotification(f"the queue has a message that is no notification of SNS: {text[:100]!r}")


def _notice(attributes: Any) -> dict[str, Any] | None:
    match attributes:
        case {"event": {"Value": str(text)}}:
            event = _json(text)
            if isinstance(event, dict) and isinstance(event.get("data"), dict):
                return event
    return None


def _other(message: str, at: str, subject: str) -> dict[str, Any]:
    match _json(message):
        case {"AlarmName": str(), "NewStateValue": str(state)} as alarm:
            kind, data = f"alarm.{state.lower()}", {"subject": subject, "alarm": alarm}
        case _:
            kind, data = "message", {"subject": subject, "text": message}
    return {"type": kind, "timestamp": at, "data": data}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
