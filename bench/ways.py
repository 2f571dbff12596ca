"""Through how many hands two ways go: from a wake to IAM, and from `quota set` to the quota table.

A way is the functions that run before the first write, in the order in which each is entered first.
Values are left out: `core`, properties, and what a function defines for itself. A stay is a run of
functions of one file, and a return is a stay in a file that was left before.

Of `quota set` the command line and the adapters are counted, but for what only says or spells
something. Whom the edit would block is asked of the enforcer's own decision.
"""

import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from itertools import groupby
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import TYPE_CHECKING, NamedTuple

import boto3
import pytest
from moto import mock_aws

if TYPE_CHECKING:
    from bench.parts.figures import Figure, report
else:  # a script finds what lies beside it
    from parts.figures import Figure, report

ROOT = Path(__file__).parents[1]
MOST = {
    "stays from a wake to IAM": 35,
    "files from a wake to IAM": 17,
    "returns from a wake to IAM": 15,
    "files from `quota set` to its table": 7,
}
SOURCE = f"{ROOT / 'src' / 'quota_enforcer'}{os.sep}"
sys.path.insert(0, str(ROOT / "tests" / "support"))

from builders import NOON  # noqa: E402 - of tests/support
from cli_world import a_shell  # noqa: E402 - of tests/support
from quota_enforcer.aws.dynamodb.quota_table import QUOTA_SCHEMA, DynamoQuotas  # noqa: E402 - as above
from world import World  # noqa: E402 - of tests/support

SPELLING = ("cli/terminal/output.py", "cli/terminal/tables.py", "cli/terminal/escaping.py",
            "aws/dynamodb/wire.py",
            "aws/dynamodb/expression.py", "aws/dynamodb/text.py")  # fmt: skip


class Step(NamedTuple):
    """One function on a way."""

    file: str
    name: str


class Way:
    """The functions entered while it is `watched`, until its `end`."""

    def __init__(self) -> None:
        self._entered: dict[CodeType, None] = {}
        self._ended = False

    def end(self, *_: object, **__: object) -> None:
        """In place of the first write."""
        self._ended = True

    @contextmanager
    def watched(self) -> Iterator[None]:
        threading.setprofile(self._enter)
        sys.setprofile(self._enter)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def _enter(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call" and not self._ended and frame.f_code.co_filename.startswith(SOURCE):
            self._entered[frame.f_code] = None

    def steps(self, among: tuple[str, ...]) -> list[Step]:
        """Those in these folders."""
        values = set(_values())
        return [
            Step(file, code.co_qualname)
            for code in self._entered
            if (file := code.co_filename.removeprefix(SOURCE)).startswith(among)
            and file not in SPELLING
            and code not in values
            and "<" not in code.co_qualname
            and not code.co_name.startswith("__")
        ]


def _values() -> Iterator[CodeType]:
    """What properties run."""
    for name, module in sys.modules.items():
        if name.startswith("quota_enforcer."):
            for kind in vars(module).values():
                for each in vars(kind).values() if isinstance(kind, type) else ():
                    match each:
                        case property(fget=FunctionType(__code__=code)):
                            yield code
                        case cached_property(func=FunctionType(__code__=code)):
                            yield code


def told(way: str, steps: Iterable[Step]) -> dict[str, int]:
    """Print it; through how many stays and files it goes, and how often it returns to one."""
    several = list(steps)
    stays = [file for file, _ in groupby(step.file for step in several)]
    files = len(set(stays))
    counted = {"stays": len(stays), "files": files, "returns": len(stays) - files}
    print(f"{way}: {len(several)} functions, {', '.join(f'{n} {of}' for of, n in counted.items())}")
    if "-v" in sys.argv:
        for file, run in groupby(several, key=lambda step: step.file):
            print(f"  {file:40} {', '.join(step.name for step in run)}")
    return {f"{of} {way}": number for of, number in counted.items()}


def from_wake_to_iam() -> Way:
    """The first block of a user, by rules that the process has loaded before."""
    world, way = World(), Way()
    world.quota(principal="user/*")
    world.sweep(NOON)
    world.stream("alice", NOON, 10)
    world.wake(NOON + timedelta(minutes=1), "user/alice")
    world.stream("alice", NOON, 10_000)
    world.denies.attach = way.end  # type: ignore[method-assign]
    with way.watched():
        world.wake(NOON + timedelta(minutes=2), "user/alice")
    return way


def from_quota_set_to_its_table() -> Way:
    """A limit is lowered to what somebody has used, and an admin says that this is meant."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(TableName="quotas", BillingMode="PAY_PER_REQUEST", **QUOTA_SCHEMA)
        shell, way = a_shell(patch), Way()
        shell.table = DynamoQuotas(client, "quotas")  # type: ignore[assignment]
        rule = ("--measure", "total_tokens", "--window", "day", "--limit")
        shell.out("quota", "set", "user/alice", "daily", *rule, "100")
        shell.used("alice", 50)
        shell.sweep()
        patch.setattr(client, "put_item", way.end)
        with way.watched():
            shell.out("quota", "set", "user/alice", "daily", "--limit", "40", "--yes")
    return way


wake = told("from a wake to IAM", from_wake_to_iam().steps(("enforce/", "decide/")))
edit = from_quota_set_to_its_table().steps(("cli/", "aws/"))
command = next(place for place, step in enumerate(edit) if step.name == "set_")
found = wake | told("from `quota set` to its table", edit[command:])
report([Figure(name, found[name], name.split(maxsplit=1)[0], most) for name, most in MOST.items()])
