"""Conditions of a template that ask in which account and Region the stack is.

The emulator gives pseudo parameters their values everywhere but in conditions.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import changesets, engine, handlers, stacks


def install() -> None:
    """Wherever conditions are evaluated from now on."""
    plain = engine._evaluate_conditions

    def evaluated(template: dict[str, Any], params: dict[str, Any]) -> Any:
        pseudo = {"AWS::AccountId": get_account_id(), "AWS::Region": get_region()}
        return plain(template, {name: {"Value": v} for name, v in pseudo.items()} | params)

    for module in (changesets, engine, handlers, stacks):
        module._evaluate_conditions = evaluated
