"""IAM Access Analyzer's validation of policy documents, AWS's own word on them."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from quota_enforcer.core.policies.document import Document, compact


class PolicyKind(StrEnum):
    """What a document is for, which decides how large it may be and what it may say."""

    IDENTITY = "identity"
    BOUNDARY = "boundary"
    SCP = "scp"


_TYPES: Final = {
    PolicyKind.IDENTITY: "IDENTITY_POLICY",
    PolicyKind.BOUNDARY: "IDENTITY_POLICY",
    PolicyKind.SCP: "SERVICE_CONTROL_POLICY",
}


class AnalyzerClient(Protocol):
    """The part of boto3's `accessanalyzer` client that is used here."""

    def get_paginator(self, operation: str, /) -> Any:
        """Pages of an operation."""


@dataclass(frozen=True, slots=True)
class AnalyzerFinding:
    """One finding of AWS; a suggestion does not fail a check."""

    type: str
    code: str
    details: str
    link: str

    @property
    def fails(self) -> bool:
        """Whether it is more than a suggestion."""
        return self.type != "SUGGESTION"

    def __str__(self) -> str:
        return f"AWS says {self.type} {self.code}: {self.details} ({self.link})"


class AccessAnalyzer:
    """Validates documents; it needs `access-analyzer:ValidatePolicy` and costs nothing.

    https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_ValidatePolicy.html
    """

    def __init__(self, client: AnalyzerClient) -> None:
        self._client = client

    def findings(self, document: Document, kind: PolicyKind) -> Iterator[AnalyzerFinding]:
        """What AWS finds in a document; raises what boto3 raises."""
        pages = self._client.get_paginator("validate_policy")
        for page in pages.paginate(policyDocument=compact(document), policyType=_TYPES[kind]):
            for found in page["findings"]:
                yield AnalyzerFinding(
                    found["findingType"],
                    found["issueCode"],
                    found["findingDetails"],
                    found["learnMoreLink"],
                )
