"""What a deployment's author was set to, read once from its environment."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

from quota_enforcer.core.errors import ConfigError
from quota_enforcer.core.policies.boundary import Entry, Gate, fitting_gate

_GATE: Final = re.compile(
    r"arn:(?P<partition>[\w-]+):iam::\d{12}:policy/bedrock-quota/[\w-]+/[\w-]+-BOUNDARY-ONLY",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class AuthorSettings:
    """One deployment's author: the ARNs of its gates, and whether they close AgentCore too."""

    ledger_table: str
    gates: tuple[str, ...]
    partition: str
    agent_core: bool

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read LEDGER_TABLE, GATES and DENY_AGENT_CORE; ConfigError names all that is wrong."""
        table = environment.get("LEDGER_TABLE", "")
        agent_core = environment.get("DENY_AGENT_CORE", "")
        gates = _gates(environment.get("GATES", ""))
        partitions = {found["partition"] for each in gates if (found := _GATE.fullmatch(each))}
        problems = []
        if not table:
            problems.append("LEDGER_TABLE is not set")
        if agent_core not in {"true", "false"}:
            problems.append(f"DENY_AGENT_CORE is {agent_core!r}; allowed: true, false")
        if len(partitions) != 1 or not all(map(_GATE.fullmatch, gates)):
            problems.append(
                f"GATES is {environment.get('GATES', '')!r}; allowed: a JSON list of policy ARNs "
                "like arn:aws:iam::111122223333:policy/bedrock-quota/STACK/NAME-BOUNDARY-ONLY",
            )
        if problems:
            raise ConfigError(
                f"the author's environment is not complete: {'; '.join(problems)}. "
                "The stack's template sets these variables: deploy it again.",
            )
        return cls(table, tuple(gates), partitions.pop(), agent_core == "true")

    def write(self, entries: Iterable[Entry]) -> Gate:
        """The gate of this deployment for these entries."""
        return fitting_gate(entries, partition=self.partition, agent_core=self.agent_core)


def _gates(text: str) -> list[str]:
    try:
        gates = json.loads(text)
    except ValueError:
        return []
    is_list = isinstance(gates, list) and all(isinstance(each, str) for each in gates)
    return gates if is_list else []
