"""A console on a deployment of fakes with some quotas and usage, for somebody who may use it."""

from collections.abc import Iterator

import pytest

from cli_world import Shell, a_shell
from console_site import Site, a_site


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Alice is blocked, Bob is warned, and a role has no quota."""
    shell = a_shell(monkeypatch)
    shell.world.quota(principal="default")
    shell.used("alice", 1200)
    shell.used("bob", 850)
    shell.used("role:reporting/x", 10)
    shell.sweep()
    return shell


@pytest.fixture
def strange(shell: Shell) -> Iterator[Site]:
    """The console, for somebody who has not opened its address yet."""
    with a_site(shell) as site:
        yield site


@pytest.fixture
def site(strange: Site) -> Site:
    strange.enter()
    return strange
