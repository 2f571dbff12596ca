"""A function's environment: each variable, and all problems at once."""

from enum import StrEnum

import pytest

from quota_enforcer.core.environment import Environment, json_texts
from quota_enforcer.core.errors import ConfigError


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


def test_variables_are_read_into_what_they_mean() -> None:
    variables = Environment(
        "the baker",
        {"NAME": "Ada", "LOAVES": "12", "OPEN": "false", "SIZE": "large", "ZONE": "Europe/Berlin"},
    )
    assert variables.text("NAME") == "Ada"
    assert variables.number("LOAVES") == 12
    assert variables.truth("OPEN") is False
    assert variables.choice("SIZE", Size) is Size.LARGE
    assert str(variables.zone("ZONE")) == "Europe/Berlin"
    assert variables.optional("MOTTO") == ""
    variables.check()


def test_all_problems_are_told_at_once_in_the_order_of_reading() -> None:
    variables = Environment("the baker", {"EMPTY": "", "SIZE": "huge", "OPEN": "yes"})
    variables.text("NAME")
    variables.zone("EMPTY")
    variables.choice("SIZE", Size)
    variables.truth("OPEN")
    variables.optional("MOTTO")
    with pytest.raises(ConfigError) as refused:
        variables.check()
    assert str(refused.value) == (
        "the baker's environment is not complete: NAME is not set; EMPTY is not set; "
        "SIZE is 'huge'; allowed: small, large; OPEN is 'yes'; allowed: true, false. "
        "The stack's template sets these variables: deploy it again."
    )


@pytest.mark.parametrize("zone", ["Mars/Olympus", "Europe", "../etc/passwd", "/etc", "a\0b"])
def test_what_is_no_time_zone_is_a_problem_whatever_python_raises(zone: str) -> None:
    variables = Environment("the baker", {"ZONE": zone})
    variables.zone("ZONE")
    with pytest.raises(ConfigError, match=r"ZONE: .* is no IANA time zone"):
        variables.check()


@pytest.mark.parametrize("text", ["", "[", "[]", "[1]", "{}", '"*"', "null"])
def test_only_a_list_of_texts_is_one(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        json_texts(text)
    assert json_texts('["*", "b"]') == ("*", "b")
