"""What the set-up function may do.

It is the one function that IAM cannot hold to its work: whoever may write Bedrock's logging
configuration may have prompts and answers logged, to any bucket. `ManageLogging` takes it away.
"""

from collections.abc import Iterator

from quota_enforcer.core.policies.deployed import Deployed
from quota_enforcer.core.policies.document import Document, Statement, allow, document
from quota_enforcer.core.policies.functions.statements import logs_and_traces


def setup(of: Deployed) -> Document:
    """The set-up function's role."""
    return document(
        allow("InvocationLogging", ["bedrock:GetModelInvocationLoggingConfiguration"], "*"),
        *_switching(of),
        allow("Enforcer", ["lambda:InvokeFunction"], of.enforcer),
        allow("OwnStack", ["cloudformation:DescribeStacks"], of.stack),
        *logs_and_traces(of.setup_log),
    )


def _switching(of: Deployed) -> Iterator[Statement]:
    if not of.manages_logging:
        return
    yield allow(
        "SwitchInvocationLogging",
        [
            "bedrock:DeleteModelInvocationLoggingConfiguration",
            "bedrock:PutModelInvocationLoggingConfiguration",
        ],
        "*",
    )
    yield allow(
        "InvocationLogRole",
        ["iam:PassRole"],
        of.log_role,
        Condition={"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}},
    )
