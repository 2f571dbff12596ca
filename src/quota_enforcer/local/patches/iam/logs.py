"""What IAM calls the log group and stream of a request to CloudWatch Logs.

A log group's own actions are checked against `log-group:NAME:log-stream:` (so a policy names it
`log-group:NAME:*`), those of a stream against the stream, and DescribeLogGroups against no name at
all; the emulator checks `log-group:NAME`, which such a policy does not match, and `*`.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
"""

import json
from typing import Any, Final

from ministack.core import iam_actions

_OF_A_STREAM: Final = frozenset(
    {"CreateLogStream", "DeleteLogStream", "GetLogEvents", "PutLogEvents"}
)
_OF_GROUPS: Final = "DescribeLogGroups"


def install() -> None:
    """Name them as IAM does from now on."""
    plain = iam_actions.extract_resource_arn

    def resource(service: str, *request: Any) -> str:
        arn = str(plain(service, *request))
        if service != "logs":
            return arn
        headers, body = request[2], request[3]
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action == _OF_GROUPS:
            region, account = request[-2:]
            return f"arn:aws:logs:{region}:{account}:log-group::log-stream:"
        named = json.loads(body or b"{}")
        if identifier := named.get("logGroupIdentifier"):  # a name or an ARN
            region, account = request[-2:]
            name = identifier.rpartition(":log-group:")[2]
            return f"arn:aws:logs:{region}:{account}:log-group:{name}:log-stream:"
        if not named.get("logGroupName"):
            return arn
        stream = named.get("logStreamName", "") if action in _OF_A_STREAM else ""
        return f"{arn}:log-stream:{stream}"

    iam_actions.extract_resource_arn = resource
