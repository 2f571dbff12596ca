"""A healthy deployment on the embedded AWS, the doctor, and what tests ask it."""

import json
from dataclasses import dataclass
from typing import Any

import boto3
from typer.testing import CliRunner

from deployed_stack import ALLOW, MODEL, TEMPLATE, DeployedStack, call
from embedded_account import a_user, document
from quota_enforcer.cli.main import app
from quota_enforcer.local.embedded import EmbeddedAws

STACK = "bedrock-quota"
EVIL = document({"Effect": "Allow", "Action": "*", "Resource": "*"})


@dataclass
class Clinic:
    """A healthy deployment with somebody blocked, and the doctor.

    It is `sound` where nobody damaged it, or the damage was healed.
    """

    stack: DeployedStack
    sound: bool = True

    @property
    def aws(self) -> EmbeddedAws:
        return self.stack.aws

    def client(self, service: str) -> Any:
        return self.aws.client(service)

    def part(self, name: str) -> str:
        """What CloudFormation calls a resource of the template."""
        return self.stack.resource(name)

    @property
    def deny(self) -> str:
        return self.stack.outputs["DenyAllPolicy"]

    @property
    def gate(self) -> str:
        head = self.deny.rpartition("/")[0]
        return f"{head}/{self.stack.name}-over-bedrock-quota-gate-1-see-your-notice-BOUNDARY-ONLY"

    def auditor(self) -> boto3.Session:
        """The credentials of an admin who may do nothing by himself."""
        iam = self.client("iam")
        if "auditor" not in {each["UserName"] for each in iam.list_users()["Users"]}:
            return a_user(self.aws, "auditor")
        key = iam.create_access_key(UserName="auditor")["AccessKey"]
        return self.aws.session_for(key["AccessKeyId"], key["SecretAccessKey"])

    def examine(self) -> dict[str, Any]:
        """What the doctor says, by check."""
        result = CliRunner().invoke(app, ["doctor", "--json"])
        said = json.loads(result.stdout)
        assert result.exit_code == (0 if said["healthy"] else 1), result.output
        return {each["check"]: each for each in said["checks"]}

    def wrong(self) -> dict[str, list[dict[str, Any]]]:
        """What is wrong, by check.

        Some damages give somebody a policy that allows everything, which is one of the keys too.
        """
        found = {
            name: [each for each in check["findings"] if each["severity"] != "note"]
            for name, check in self.examine().items()
        }
        return {name: several for name, several in found.items() if several and name != "keys"}

    def only(self, check: str) -> dict[str, Any]:
        """The one thing that is wrong, which this check must have found."""
        found = self.wrong()
        assert list(found) == [check]
        [finding] = found[check]
        return finding


def wrong(examined: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The check, the severity and the sentence of everything that is wrong."""
    return [
        (name, finding["severity"], finding["what"])
        for name, check in examined.items()
        for finding in check["findings"]
        if finding["severity"] != "note"
    ]


def with_alice_blocked(aws: EmbeddedAws) -> DeployedStack:
    """She is over her quota, since a while ago."""
    parameters = {
        "Mode": "enforce",
        "Gates": "1",
        "ModelScope1": MODEL,
        "NoticeEmail": "admins@example.com",
    }
    stack = DeployedStack(aws, STACK, aws.deploy(TEMPLATE, STACK, parameters))
    stack.quota()
    stack.sweep()
    call(a_user(aws, "alice", ALLOW), 1200)
    stack.metered()
    for _ in range(3):  # so that the block is older than what may still be under way
        stack.sweep()
    return stack
