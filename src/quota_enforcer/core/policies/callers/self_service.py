"""What people need who ask `quota-enforcer me`."""

from quota_enforcer.core.policies.document import Document, allow, document
from quota_enforcer.core.policies.names import (
    checked_account,
    checked_partition,
    checked_region,
    checked_stack,
)


def asking(
    stack: str, *, account: str = "*", partition: str = "aws", region: str = "*"
) -> Document:
    """What somebody needs to ask, and no more: both actions, and only by way of the URL.

    Without the URL a caller could write an event that says to be somebody else, so InvokeFunction
    holds only there; AWS asks for it besides InvokeFunctionUrl since October 2025.
    https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    An account of `*` is for whoever does not know it; IAM then still looks in its own.
    """
    if account != "*":
        checked_account(account)
    prefix = f"arn:{checked_partition(partition)}:lambda:{checked_region(region)}:{account}"
    function = f"{prefix}:function:{checked_stack(stack)}-MeFunction-*"
    return document(
        allow(
            "SeeOwnBedrockQuotas",
            ["lambda:InvokeFunctionUrl"],
            function,
            Condition={"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}},
        ),
        allow(
            "OnlyByTheUrl",
            ["lambda:InvokeFunction"],
            function,
            Condition={"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
        ),
    )
