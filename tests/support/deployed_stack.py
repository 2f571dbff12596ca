"""The real template deployed on the embedded AWS, and what tests do to it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from boto3.dynamodb.types import TypeSerializer
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from typer.testing import CliRunner, Result

from quota_enforcer.cli.main import app
from quota_enforcer.local.embedded import EmbeddedAws, Ended

TEMPLATE: Final = Path(__file__).parents[2] / "template.yaml"
MODEL: Final = "anthropic.claude-3-opus-20240229-v1:0"
PROMPT: Final = "the secret recipe"
"""What everybody types into the model; nothing but the invocation log may ever hold it."""
REFUSED: Final = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}
"""How AWS's services say that IAM does not allow something; the last is SNS's way."""
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
        """Deploy, or update; in enforce mode and metering by metrics unless told otherwise."""
        given = {"Mode": "enforce", "Metering": "cloudwatch", **parameters}
        return cls(aws, name, aws.deploy(TEMPLATE, name, given))

    def resource(self, name: str) -> str:
        """The physical id of what the template calls so."""
        found = self.aws.client("cloudformation").describe_stack_resource(
            StackName=self.name, LogicalResourceId=name
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def quota(self, **attributes: Any) -> None:
        """Write a quota item, DAILY but for these attributes."""
        to_wire = TypeSerializer()
        item = {name: to_wire.serialize(value) for name, value in (DAILY | attributes).items()}
        self.aws.client("dynamodb").put_item(TableName=self.outputs["QuotaTable"], Item=item)

    def sweep(self) -> dict[str, Any]:
        """Five minutes later, when nothing is under way any more, the schedule fires."""
        self.metered()
        self.aws.set_time(self.aws.time + timedelta(minutes=5))
        report: dict[str, Any] = self.aws.fire_schedule(self.name, "EnforcerSchedule")
        return report

    def recounts(self) -> list[dict[str, Any]]:
        """The meter's schedule fires: what became of each hour that was asked for."""
        answered = self.aws.fire_schedule(self.name, "MeterSchedule")
        hours: list[dict[str, Any]] = answered["hours"]
        return hours

    def told(self) -> list[tuple[str, str]]:
        """Who was blocked, restored or warned by one more sweep, or by an edit before it."""
        woken = self.told_by_the_stream()
        return woken + [(event["principal"], event["kind"]) for event in self.sweep()["events"]]

    def metered(self) -> list[Ended]:
        """What the log and edits of quotas set off by now, once all is over and went well."""
        ended = self.aws.settle()
        failed = [(each.function, each.error, each.log) for each in ended if each.error]
        if failed:
            raise AssertionError(f"not all of it went well: {failed}")
        return ended

    def told_by_the_stream(self) -> list[tuple[str, str]]:
        """Who was blocked, restored or warned because of calls in the log and edits of quotas."""
        return [
            (event["principal"], event["kind"])
            for each in self.metered()
            if each.function == self.outputs["EnforcerFunction"]
            for event in each.answer["events"]
        ]

    def command(self, *arguments: str, caller: boto3.Session | None = None, **more: str) -> Result:
        """Run `quota-enforcer` on this deployment as an admin does, or as somebody else does.

        `more` are environment variables.
        """
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith(("AWS_", "QUOTA_"))]:
                patch.delenv(name)
            for name, value in self.environment(caller, **more).items():
                patch.setenv(name, value)
            return CliRunner().invoke(app, arguments)

    def command_apart(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run `quota-enforcer` as an admin does, in a process of its own."""
        return subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "quota_enforcer.cli", *arguments],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def environment(self, caller: boto3.Session | None = None, **more: str) -> dict[str, str]:
        """All that a command finds in its environment: this deployment, and who asks."""
        found = self.aws.environment() | {"QUOTA_ENFORCER_STACK": self.name} | more
        if caller is not None:
            key = credentials(caller)
            found["AWS_ACCESS_KEY_ID"] = str(key.access_key)
            found["AWS_SECRET_ACCESS_KEY"] = str(key.secret_key)
            found["AWS_SESSION_TOKEN"] = key.token or ""
        return found | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}

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


def credentials(caller: boto3.Session) -> Credentials:
    """The caller's, which every session of ours has."""
    found = caller.get_credentials()
    assert found is not None
    return found


def call(caller: boto3.Session, tokens: int = 1, model: str = MODEL, **counts: int) -> None:
    """One call of the model that uses so many tokens."""
    simulated = {"input_tokens": tokens, "output_tokens": 0, **counts}
    body = {"messages": [{"role": "user", "content": PROMPT}], "simulate": simulated}
    caller.client("bedrock-runtime").invoke_model(modelId=model, body=json.dumps(body))


def is_refused(action: Callable[[], object]) -> bool:
    """Whether IAM refuses; any other error rises."""
    try:
        action()
    except ClientError as error:
        if error.response["Error"]["Code"] in REFUSED:
            return True
        raise
    return False
