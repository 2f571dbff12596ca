"""The real template deployed on the embedded AWS, and what tests do to it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from quota_enforcer.local.embedded import EmbeddedAws

TEMPLATE: Final = Path(__file__).parents[1] / "template.yaml"
MODEL: Final = "anthropic.claude-3-opus-20240229-v1:0"
ALLOW: Final = {"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*"}
"""The ordinary policy of somebody who may call models."""
DAILY: Final[dict[str, Any]] = {
    "principal": "default", "quota": "daily", "measure": "total_tokens", "limit": 1000,
    "window": "day",
}  # fmt: skip


@dataclass(frozen=True)
class DeployedStack:
    """One deployment."""

    aws: EmbeddedAws
    name: str
    outputs: dict[str, str]

    @classmethod
    def of(
        cls, aws: EmbeddedAws, name: str = "bedrock-quota", **parameters: str
    ) -> "DeployedStack":
        """Deploy, or update; in enforce mode unless told otherwise."""
        return cls(aws, name, aws.deploy(TEMPLATE, name, {"Mode": "enforce", **parameters}))

    def quota(self, **attributes: Any) -> None:
        """Write a quota item, DAILY but for these attributes."""
        item = {
            name: {"N": str(value)} if isinstance(value, int) else {"S": value}
            for name, value in (DAILY | attributes).items()
        }
        self.aws.client("dynamodb").put_item(TableName=self.outputs["QuotaTable"], Item=item)

    def sweep(self) -> dict[str, Any]:
        """Five minutes later the schedule fires."""
        self.aws.set_time(self.aws.time + timedelta(minutes=5))
        report: dict[str, Any] = self.aws.fire_schedule(self.name)
        return report

    def told(self) -> list[tuple[str, str]]:
        """Who was blocked, restored or warned by one more sweep."""
        return [(event["principal"], event["kind"]) for event in self.sweep()["events"]]

    def denied(self) -> set[str]:
        """The names of those who have the deny policy attached."""
        found = self.aws.client("iam").list_entities_for_policy(
            PolicyArn=self.outputs["DenyAllPolicy"]
        )
        return {user["UserName"] for user in found["PolicyUsers"]} | {
            role["RoleName"] for role in found["PolicyRoles"]
        }

    def ask(self, event: dict[str, Any]) -> Any:
        """What the enforcer answers to an event; the error where it raises one."""
        answer = self.aws.client("lambda").invoke(
            FunctionName=self.outputs["EnforcerFunction"], Payload=json.dumps(event)
        )
        return json.loads(answer["Payload"].read())


def call(caller: boto3.Session, tokens: int = 1) -> None:
    """One call of the model that uses so many tokens."""
    body = {"messages": [], "simulate": {"input_tokens": tokens, "output_tokens": 0}}
    caller.client("bedrock-runtime").invoke_model(modelId=MODEL, body=json.dumps(body))


def is_refused(action: Callable[[], object]) -> bool:
    """Whether IAM refuses; any other error rises."""
    try:
        action()
    except ClientError as error:
        if error.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}:
            return True
        raise
    return False
