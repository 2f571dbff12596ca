"""IAM's own answer to what a user or role may do, with its boundary and its organisation's limits.

What a resource's policy grants is not asked for: none of ours grants anything.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from quota_enforcer.core.policies.guard.keys import Key

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_iam.type_defs import ContextEntryTypeDef

_ALLOWED = "allowed"


def allowed(client: "IAMClient", arn: str, keys: Sequence[Key]) -> list[Key]:
    """Those of these keys that the user or role holds; one call for each resource."""
    by_resource: defaultdict[str, list[Key]] = defaultdict(list)
    for key in keys:
        by_resource[key.resource].append(key)
    held: list[Key] = []
    pages = client.get_paginator("simulate_principal_policy")
    for resource, several in by_resource.items():
        context: list[ContextEntryTypeDef] = [
            {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": "string"}
            for name, value in sorted({pair for key in several for pair in key.context})
        ]
        granted = {
            result["EvalActionName"].lower()
            for page in pages.paginate(
                PolicySourceArn=arn,
                ActionNames=[key.action for key in several],
                ResourceArns=[resource],
                ContextEntries=context,
            )
            for result in page["EvaluationResults"]
            if result["EvalDecision"] == _ALLOWED
        }
        held += [key for key in several if key.action.lower() in granted]
    return held
