"""The webhook function: signs what the topic left in its queue, and posts it to one address.

What is not accepted stays in the queue and is posted again, later each time, until the queue hands
it over to its dead letters. It is wired here, so that it constructs only what its role may call.
"""

import os
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

import boto3
from aws_lambda_powertools import Logger, Tracer

from quota_enforcer import clock
from quota_enforcer.aws import clients
from quota_enforcer.aws.messaging.webhook import SigningSecrets, put_off
from quota_enforcer.core.environment import Environment
from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.lambdas.webhook.notification import webhook_of
from quota_enforcer.lambdas.webhook.post import PostAnswer, post
from quota_enforcer.lambdas.webhook.signature import headers_of, key_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_sqs import SQSClient

WAITS: Final = (10, 60, 300, 900, 3_600, 10_800, 21_600)
"""Seconds after each attempt but the last: so ten hours and a half are bridged by eight."""

logger = Logger()
tracer = Tracer()


class NotAccepted(EnforcerError):
    """The receiver did not take it, so it stays in the queue; Lambda counts an error."""


class WebhookFunction(NamedTuple):
    """What the function works with."""

    url: str
    queue: str
    secrets: SigningSecrets
    sqs: "SQSClient"


@cache
def webhook_function() -> WebhookFunction:
    """Wired once for each Lambda process, at its first event, so that errors reach the log."""
    variables = Environment("the webhook function", os.environ)
    url, queue = variables.text("WEBHOOK_URL"), variables.text("WEBHOOK_QUEUE")
    secret = variables.text("WEBHOOK_SECRET_ARN")
    variables.check()
    session = boto3.Session()
    manager = session.client("secretsmanager", config=clients.PROMPT)
    sqs = session.client("sqs", config=clients.PROMPT)
    return WebhookFunction(url, queue, SigningSecrets(manager, secret), sqs)


# Neither response nor error is captured: traces have no notices.
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: "LambdaContext") -> None:
    """Post one message of the queue; raises NotAccepted if the receiver does not take it."""
    for record in event["Records"]:  # one at a time, says the mapping
        _deliver(record)


def _deliver(record: dict[str, Any]) -> None:
    function, now = webhook_function(), clock.now()
    webhook = webhook_of(record["body"])
    keys = [key_of(each) for each in function.secrets.read(now)]
    answer = post(function.url, webhook.body, headers_of(webhook, keys, now))
    attempt = int(record["attributes"]["ApproximateReceiveCount"])
    if answer.accepted:
        logger.info("posted", webhook_id=webhook.id, status=answer.status, attempt=attempt)
        return
    seconds = wait_after(attempt, answer)
    if seconds:
        put_off(function.sqs, function.queue, record["receiptHandle"], seconds)
    then = f"it is tried again in {seconds} s" if seconds else "it goes to the dead letters"
    said = f"answered {answer.status}" if answer.status else f"did not answer: {answer.words}"
    raise NotAccepted(
        f"{urlsplit(function.url).hostname} {said} at attempt {attempt} of {webhook.id}; {then}"
    )


def wait_after(attempt: int, answer: PostAnswer) -> int:
    """Seconds until the next attempt: longer each time, or as the receiver asks; 0 after the last.

    A receiver may ask for no longer than the longest of these.
    """
    if attempt > len(WAITS):
        return 0
    return max(WAITS[attempt - 1], min(answer.again_in, WAITS[-1]))
