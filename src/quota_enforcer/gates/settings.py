"""What a deployment's author was set to, read once from its environment."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from quota_enforcer.core.deployment import names_organization
from quota_enforcer.core.environment import Environment, json_texts
from quota_enforcer.core.policies.boundary import Entry, Gate, fitting_gate
from quota_enforcer.core.policies.names import account_in

_GATE: Final = re.compile(
    r"arn:(?P<partition>[\w-]+):iam::\d{12}:policy/bedrock-quota/[\w-]+/[\w+=,.@-]+-BOUNDARY-ONLY",
    re.ASCII,
)
_ALLOWED: Final = (
    "a JSON list of policy ARNs "
    "like arn:aws:iam::111122223333:policy/bedrock-quota/STACK/NAME-BOUNDARY-ONLY"
)


@dataclass(frozen=True, slots=True)
class AuthorSettings:
    """One deployment's author."""

    ledger_table: str
    gates: tuple[str, ...]
    """Their ARNs."""
    partition: str
    agent_core: bool
    """Whether the gates close AgentCore too."""
    tags: tuple[tuple[str, str], ...] = ()
    """The keys and values of the tags that the gates get."""
    stack: str = ""
    stack_id: str = ""
    """The stack's ARN with its unique id."""
    has_members: bool = False
    """Whether it may have satellites in member accounts of its organisation."""

    @property
    def account(self) -> str:
        """The home account."""
        return account_in(self.gates[0])

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the variables; ConfigError names all that is wrong."""
        variables = Environment("the author", environment)
        table = variables.text("LEDGER_TABLE")
        agent_core = variables.truth("DENY_AGENT_CORE")
        gates = variables.read("GATES", _Gates.parse, _ALLOWED)
        given = variables.optional("GATE_TAGS")
        tags = variables.read("GATE_TAGS", _tags, "KEY=VALUE,KEY=VALUE") if given else ()
        stack, stack_id = variables.optional("STACK_NAME"), variables.optional("STACK_ID")
        members = names_organization(variables.optional("SATELLITES"))
        variables.check()
        return cls(table, gates.arns, gates.partition, agent_core, tags, stack, stack_id, members)

    def write(self, entries: Iterable[Entry]) -> Gate:
        """The gate of this deployment for these entries."""
        return fitting_gate(entries, partition=self.partition, agent_core=self.agent_core)


def _tags(text: str) -> tuple[tuple[str, str], ...]:
    """Each key comes once, in whatever case; IAM itself says what else it does not take."""
    pairs = [each.partition("=") for each in text.split(",")]
    keys = [key.strip() for key, _, _ in pairs]
    if (
        not all(keys)
        or not all(equals for _, equals, _ in pairs)
        or len({key.casefold() for key in keys}) < len(keys)
    ):
        raise ValueError(text)
    return tuple((key.strip(), value.strip()) for key, _, value in pairs)


class _Gates(NamedTuple):
    """The ARNs of all gates, and the one partition that they are in."""

    arns: tuple[str, ...]
    partition: str

    @classmethod
    def parse(cls, text: str) -> Self:
        arns = json_texts(text)
        found = [_GATE.fullmatch(each) for each in arns]
        partitions = {each and each["partition"] for each in found}
        partition = partitions.pop()
        if partition is None or partitions:
            raise ValueError(text)
        return cls(arns, partition)
