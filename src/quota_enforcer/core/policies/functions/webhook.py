"""What the webhook function may do."""

from typing import Final

from quota_enforcer.core.policies.deployed import READING, Deployed
from quota_enforcer.core.policies.document import Document, allow, deny, document
from quota_enforcer.core.policies.functions.statements import logs_and_traces

READING_A_QUEUE: Final = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
"""What Lambda does as the function that a queue wakes.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
"""
NEVER: Final = ("bedrock:*", "dynamodb:*", "iam:*", "lambda:*", "sns:*", "sts:AssumeRole*")
"""What is denied to the function whatever else its role may get."""


def webhook(of: Deployed) -> Document:
    """The webhook function's role: its own queue and one secret, and nothing that others have."""
    return document(
        allow("Queue", ["sqs:ChangeMessageVisibility", *READING_A_QUEUE], of.webhook_queue),
        allow("Secret", ["secretsmanager:GetSecretValue"], of.webhook_secret),
        deny("NeverAnyAccess", NEVER),
        *of.use_of_key("secretsmanager", actions=READING),
        *logs_and_traces(of.webhook_log),
    )
