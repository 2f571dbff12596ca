"""Budgets, which the emulator has not: here one is kept and never adds anything up.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-budgets-budget.html
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

from typing import Any, Final

from ministack.services.cloudformation import provisioners

_TYPE: Final = "AWS::Budgets::Budget"


def install() -> None:
    """Stacks may have them from now on."""
    provisioners._RESOURCE_HANDLERS[_TYPE] = {
        "create": lambda _name, properties, _stack: _kept(properties),
        "update": lambda _id, _old, properties, _stack: _kept(properties),
        "delete": lambda _id, _properties: None,
    }


def _kept(properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return properties["Budget"]["BudgetName"], {}
