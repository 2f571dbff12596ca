"""The trust policy that makes a session's name that of the person who took the role."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from quota_enforcer.core.policies.document import Document, compact
from quota_enforcer.gates.trust.binding import bound
from quota_enforcer.gates.trust.entrances import callers_name_themselves
from quota_enforcer.insight.gates import SharedRole


@dataclass(frozen=True, slots=True)
class RoleNaming:
    """Who chooses the session names of a role, and the trust policy that would not let them.

    `policy` is None if nobody chooses, or if no claim can be a name.
    """

    role: str
    chosen_by: tuple[str, ...]
    policy: Document | None
    notes: tuple[str, ...]

    @property
    def command(self) -> str:
        """Puts the policy in place; empty if there is none.

        https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html
        """
        if self.policy is None:
            return ""
        update = f"aws iam update-assume-role-policy --role-name {self.role}"
        # In single quotes no shell looks for variables.
        return f"{update} --policy-document '{compact(self.policy)}'"


def naming(role: SharedRole, *, source_identity: bool = False) -> RoleNaming | None:
    """None for a permission set, whose sessions Identity Center names, and for a role unknown."""
    if role.permission_set or not role.trust:
        return None
    binding = bound(role.trust, source_identity=source_identity)
    return RoleNaming(
        role.name, tuple(callers_name_themselves(role.trust)), binding.document, binding.notes
    )


def naming_steps(found: RoleNaming) -> Iterator[str]:
    """What to do, if anything; a command has its line for itself."""
    if found.chosen_by:
        yield (
            f"Role {found.role} lets these choose the names of their sessions, so that whoever is "
            f"blocked comes back under another name: {', '.join(found.chosen_by)}."
        )
    if found.policy is not None:
        yield "  The trust policy that binds a session's name to who takes the role:"
        yield _indented(found.policy)
        yield "  Or by a command, which puts it in the place of the one that is there:"
        yield f"    {found.command}"
    if found.chosen_by or found.policy is not None:
        for note in found.notes:
            yield f"  Mind: {note}."


def naming_document(found: RoleNaming | None) -> dict[str, Any] | None:
    """For machines."""
    if found is None:
        return None
    return {
        "chosen_by": list(found.chosen_by),
        "trust_policy": found.policy,
        "command": found.command or None,
        "notes": list(found.notes),
    }


def _indented(policy: Document) -> str:
    return "\n".join(f"    {line}" for line in json.dumps(policy, indent=2).splitlines())
