"""The demo's AWS account: the real stack, who is denied in IAM, and subscribers to the notices."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

import quota_enforcer
from quota_enforcer.aws.dynamodb.wire import wire
from quota_enforcer.aws.iam.gates import IamGates
from quota_enforcer.core.deployment import Settings
from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.gates.document import denied_user_ids
from quota_enforcer.gates.settings import AuthorSettings
from quota_enforcer.lambdas.enforcer import wiring
from quota_enforcer.local.demo.callers import document
from quota_enforcer.local.demo.cast import SHARED, SONNET
from quota_enforcer.local.demo.record import Letter
from quota_enforcer.local.embedded import EmbeddedAws

STACK: Final = "bedrock-quota"
SWEEP_MINUTES: Final = 5
CONTACT: Final = "#ask-cloud-team"


class DemoStopped(EnforcerError):
    """The demo could not go on; the message says at what, and why."""


class Account:
    """The account once the stack is deployed."""

    def __init__(self, aws: EmbeddedAws, template: Path, **more: str) -> None:
        """`more` are parameters of the stack."""
        self._aws = aws
        parameters = {"Mode": "enforce", "SweepMinutes": str(SWEEP_MINUTES), "Contact": CONTACT,
                      "ModelScope1": SONNET, "Gates": "1", **more}  # fmt: skip
        self._outputs = aws.deploy(template, STACK, parameters)
        settings = Settings.from_environment(self._environment("EnforcerFunction"))
        self.policies = settings.denies
        self.enforcer = self._outputs["EnforcerFunction"]
        author = AuthorSettings.from_environment(self._environment("AuthorFunction"))
        (self.gate,) = author.gates
        self._gates = IamGates(aws.client("iam"))
        self._ledger = wiring.ledger(settings, aws.session())  # as the command line reads it

    def write_quota(self, item: dict[str, Any]) -> None:
        """Write an item as the DynamoDB console does: nothing checks it."""
        self._aws.client("dynamodb").put_item(
            TableName=self._outputs["QuotaTable"],
            Item=wire(item),
        )

    def command(self, *arguments: str) -> None:
        """Run `quota-enforcer` as an admin does, in a process of its own."""
        environment = self._aws.environment()
        environment["PYTHONPATH"] = str(Path(quota_enforcer.__file__).parents[1])
        environment |= {name: os.environ[name] for name in ("TERM",) if name in os.environ}
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "quota_enforcer.cli", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DemoStopped(f"quota-enforcer {' '.join(arguments)}: {done.stderr.strip()}")

    def subscribe(self, name: str, **selected: str) -> str:
        """A queue that gets the notices with these attributes; returns its address."""
        sqs, topic = self._aws.client("sqs"), self._outputs["NoticeTopic"]
        arn = f"arn:aws:sqs:{self._aws.region}:{self._aws.account_id}:{name}"
        allow = document(
            Action="sqs:SendMessage",
            Principal={"Service": "sns.amazonaws.com"},
            Resource=arn,
            Condition={"ArnEquals": {"aws:SourceArn": topic}},
        )
        queue: str = sqs.create_queue(QueueName=name, Attributes={"Policy": allow})["QueueUrl"]
        wish = {attribute: [value] for attribute, value in selected.items()}
        self._aws.client("sns").subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn,
            Attributes={"FilterPolicy": json.dumps(wish)} if wish else {},
        )
        return queue

    def letters(self, queue: str) -> Iterator[Letter]:
        """What the queue got and nobody has read yet."""
        return unread(self._aws, queue)

    def used(self, principal: Principal) -> Counts:
        """All that the ledger has of somebody."""
        models = self._ledger.usage(principal, date.min).models
        return Counts.total(counts for usage in models.values() for counts in usage.hours.values())

    def standings(self, principals: Iterable[Principal]) -> dict[Principal, str]:
        """Where everybody is: ok, warned, over or blocked."""
        return {
            principal: "blocked" if record.standing.denied else str(record.standing.level)
            for principal, record in self._ledger.records(principals).items()
        }

    def leftovers(self) -> list[str]:
        """What of the stack is still there but the gate; empty after it was deleted."""
        client = self._aws.client
        policies = client("iam").list_policies(Scope="Local")["Policies"]
        roles = client("iam").list_roles(PathPrefix=f"/bedrock-quota/{STACK}/")["Roles"]
        groups = client("logs").describe_log_groups(logGroupNamePrefix=f"/bedrock-quota/{STACK}/")
        logging = client("bedrock").get_model_invocation_logging_configuration()
        return [
            *(policy["Arn"] for policy in policies if policy["Arn"] != self.gate),
            *(role["Arn"] for role in roles),
            *(each["FunctionArn"] for each in client("lambda").list_functions()["Functions"]),
            *(each["Arn"] for each in client("scheduler").list_schedules()["Schedules"]),
            *client("dynamodb").list_tables()["TableNames"],
            *(each["TopicArn"] for each in client("sns").list_topics()["Topics"]),
            *(group["logGroupName"] for group in groups["logGroups"]),
            *(["the invocation logging configuration"] if logging.get("loggingConfig") else []),
        ]

    def denied(self) -> set[Principal]:
        """Who has a deny policy attached or is listed in the gate, as IAM says."""
        found = {self._behind(user_id) for user_id in self.listed() or ()}
        for policy in self.policies.values():
            holders = self._aws.client("iam").list_entities_for_policy(PolicyArn=policy)
            found |= {Principal(Kind.USER, user["UserName"]) for user in holders["PolicyUsers"]}
            found |= {Principal(Kind.ROLE, role["RoleName"]) for role in holders["PolicyRoles"]}
        return found

    def listed(self) -> frozenset[str] | None:
        """The user ids that the gate denies; None if there is no gate."""
        written = self._gates.document(self.gate)
        return None if written is None else denied_user_ids(written)

    def _behind(self, user_id: str) -> Principal:
        """Whom IAM knows by this id: a session of a shared role, or a person of Identity Center."""
        role_id, _, name = user_id.partition(":")
        for role in SHARED:
            found = self._gates.role(role)
            if found is not None and found.id == role_id:
                return Principal(Kind.SESSION, f"{role}/{name}")
        return Principal(Kind.SSO, name)

    def _environment(self, output: str) -> dict[str, str]:
        """The settings of one of the stack's functions."""
        client, function = self._aws.client("lambda"), self._outputs[output]
        answer = client.get_function_configuration(FunctionName=function)
        variables: dict[str, str] = answer["Environment"]["Variables"]
        return variables


def unread(aws: EmbeddedAws, queue: str) -> Iterator[Letter]:
    """What a queue of notices got and nobody has read yet; then it has been read."""
    sqs = aws.client("sqs")
    while found := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in found:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            sent = json.loads(message["Body"])
            about = sent.get("MessageAttributes", {})
            kind, principal, quota = (
                about.get(each, {}).get("Value", "") for each in ("kind", "principal", "quota")
            )
            yield Letter(kind, principal, quota, sent["Subject"], sent["Message"])
