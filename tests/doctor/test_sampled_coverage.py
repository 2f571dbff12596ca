"""What doctor says of quotas where it has read a sample of the usage."""

import pytest

from builders import NOON
from cli_world import a_shell

MEMBER = "444455556666/eu-west-1"


@pytest.mark.parametrize(("place", "role"), [("", "role/ci"), (MEMBER, "444455556666/role/ci")])
def test_a_role_of_whose_sessions_some_were_not_read_is_left_out(
    monkeypatch: pytest.MonkeyPatch, place: str, role: str
) -> None:
    """Else its calls would be said to be under no quota, which only their sessions' are."""
    shell = a_shell(monkeypatch)
    session = role.replace("role/", "session/") + "/42"
    shell.world.quota(principal=session)
    shell.world.stream("role:ci/42", NOON, 10, place=place)
    shell.world.wake(NOON, role, session)
    read = shell.world.ledger.sample
    monkeypatch.setattr(
        shell.world.ledger,
        "sample",
        lambda principals, first: {
            who: usage for who, usage in read(principals, first).items() if str(who) != session
        },
    )
    said = shell.run("doctor").stdout
    assert "under no quota" not in said
    assert "1 item, all valid" in said
