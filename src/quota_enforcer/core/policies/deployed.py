"""What one deployment is called in IAM: the ARNs that its roles and their policies name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.document import Statement, allow
from quota_enforcer.core.policies.names import (
    ASK_WHOM,
    ROLE_PATH,
    checked_account,
    checked_partition,
    checked_region,
    checked_role_path,
    checked_stack,
    deny_policy_name,
    gate_name,
    policy_arn,
    policy_path,
)

_KEY: Final = re.compile(r"arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]{1,64}", re.ASCII)
READING: Final = ("kms:Decrypt", "kms:DescribeKey")
WRITING: Final = (
    *READING,
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
"""What DynamoDB and SNS do with a customer's key as whoever writes; AWS names no smaller set.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
"""


@dataclass(frozen=True, slots=True)
class Deployed:
    """What one deployment's roles are about; ARNs, or patterns where only CloudFormation knows."""

    partition: str
    account: str
    quota_table: str
    quota_stream: str
    """The stream of the quota table's edits."""
    ledger_table: str
    denies: tuple[str, ...]
    """The static deny policies: of everything, then of each installed model scope."""
    notice_topic: str
    dead_letters: str
    enforcer_log: str
    gates: tuple[str, ...] = ()
    author: str = ""
    """The author function; empty if there are no gates."""
    author_log: str = ""
    metrics: bool = False
    """Whether usage comes from CloudWatch's metrics: Metering is cloudwatch, and not stream."""
    region: str = "*"
    enforcer: str = ""
    """The enforcer function."""
    invocation_log: str = ""
    """The log group of Bedrock's invocation log, as IAM names what is in it: with `:*`."""
    stack: str = ""
    """The stack's ARN, with its unique id or `*`."""
    meter_dead_letters: str = ""
    meter_log: str = ""
    me_log: str = ""
    teams_log: str = ""
    teams_reader: str = ""
    """The role by which the teams function reads where teams are kept."""
    setup_log: str = ""
    webhook_queue: str = ""
    webhook_secret: str = ""
    """The secret that the webhook's posts are signed with, by its ARN."""
    webhook_log: str = ""
    log_role: str = ""
    """The role by which Bedrock writes the invocation log."""
    manages_logging: bool = True
    """Whether set-up may change Bedrock's logging: ManageLogging is true."""
    key: str = ""
    """The KMS key that the tables and the topic are encrypted with; empty for AWS's own."""
    role_path: str = ROLE_PATH
    """Before which path the stack's roles live."""
    tagged: bool = False
    """Whether the gates have tags."""
    deniers: str = ""
    """The roles of member accounts that the enforcer takes; empty if there are none."""
    gate_authors: str = ""
    """Those that the author takes."""
    readers: str = ""
    """The roles by which the meter reads satellites, as one pattern; empty without satellites."""

    @classmethod
    def named(  # noqa: PLR0913 - one for each parameter that matters to a role
        cls,
        stack: str,
        account: str,
        partition: str,
        region: str,
        *,
        scopes: int = 0,
        gates: int = 0,
        metrics: bool = False,
        log_group: str = "",
        manages_logging: bool = True,
        ask: str = ASK_WHOM,
        key: str = "",
        role_path: str = ROLE_PATH,
        tagged: bool = False,
        members: bool = False,
        readers: str = "",
        webhook_secret: str = "",
        teams_reader: str = "",
    ) -> "Deployed":
        """A deployment known by name only; `*` stands where CloudFormation adds a suffix."""
        checked_stack(stack)
        checked_region(region)
        account, partition = checked_account(account), checked_partition(partition)

        def arn(service: str, resource: str) -> str:
            return f"arn:{partition}:{service}:{region}:{account}:{resource}"

        def policy(name: str) -> str:
            return policy_arn(partition, account, stack, name)

        numbers = [None, *range(1, scopes + 1)]
        in_members = f"arn:{partition}:iam::*:role{policy_path(stack)}{stack}"
        return cls(
            partition=partition,
            account=account,
            quota_table=arn("dynamodb", f"table/{stack}-QuotaTable-*"),
            quota_stream=arn("dynamodb", f"table/{stack}-QuotaTable-*/stream/*"),
            ledger_table=arn("dynamodb", f"table/{stack}-LedgerTable-*"),
            denies=tuple(policy(deny_policy_name(stack, number, ask)) for number in numbers),
            notice_topic=arn("sns", f"{stack}-NoticeTopic-*"),
            dead_letters=arn("sqs", f"{stack}-EnforcerDeadLetters-*"),
            enforcer_log=arn("logs", f"log-group:/bedrock-quota/{stack}/enforcer:*"),
            gates=tuple(policy(gate_name(stack, number, ask)) for number in range(1, gates + 1)),
            author=arn("lambda", f"function:{stack}-AuthorFunction-*") if gates else "",
            author_log=arn("logs", f"log-group:/bedrock-quota/{stack}/author:*"),
            metrics=metrics,
            region=region,
            enforcer=arn("lambda", f"function:{stack}-EnforcerFunction-*"),
            invocation_log=arn(
                "logs", f"log-group:{log_group or f'/bedrock-quota/{stack}/invocations'}:*"
            ),
            stack=arn("cloudformation", f"stack/{stack}/*"),
            meter_dead_letters=arn("sqs", f"{stack}-MeterDeadLetters-*"),
            meter_log=arn("logs", f"log-group:/bedrock-quota/{stack}/meter:*"),
            me_log=arn("logs", f"log-group:/bedrock-quota/{stack}/me:*"),
            teams_log=arn("logs", f"log-group:/bedrock-quota/{stack}/teams:*"),
            teams_reader=teams_reader
            or (
                f"arn:{partition}:iam::{account}:role{role_path}bedrock-quota/{stack}/"
                f"{stack}-TeamsReaderRole-*"
            ),
            setup_log=arn("logs", f"log-group:/bedrock-quota/{stack}/setup:*"),
            webhook_queue=arn("sqs", f"{stack}-WebhookQueue-*"),
            webhook_secret=webhook_secret or arn("secretsmanager", "secret:*"),
            webhook_log=arn("logs", f"log-group:/bedrock-quota/{stack}/webhook:*"),
            log_role=(
                f"arn:{partition}:iam::{account}:role{role_path}bedrock-quota/{stack}/"
                f"{stack}-InvocationLogRole-*"
            ),
            manages_logging=manages_logging,
            key=checked_key(key),
            role_path=checked_role_path(role_path),
            tagged=tagged,
            deniers=f"{in_members}-satellite-denier" if members else "",
            gate_authors=f"{in_members}-satellite-author" if members and gates else "",
            readers=readers,
        )

    def use_of_key(self, *services: str, actions: Sequence[str] = WRITING) -> list[Statement]:
        """Use the key by way of these services alone; nothing where AWS's own keys are used."""
        if not self.key:
            return []
        via = [f"{service}.{self.region}.*" for service in services]
        return [allow("Key", actions, self.key, Condition={"StringLike": {"kms:ViaService": via}})]


def checked_key(key: str) -> str:
    """This key's ARN, or nothing; raises InvalidPolicyInput for anything else."""
    if key and not _KEY.fullmatch(key):
        raise InvalidPolicyInput(
            f"{key!r} is no KMS key: write its ARN, such as "
            "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        )
    return key
