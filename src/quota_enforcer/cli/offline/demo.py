"""`demo`: the whole product on an embedded AWS."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

import typer
from botocore.exceptions import BotoCoreError, ClientError

import quota_enforcer
from quota_enforcer.cli.terminal.errors import FAILED
from quota_enforcer.cli.terminal.output import console, fail, say_json
from quota_enforcer.local.demo.account import DemoStopped
from quota_enforcer.local.demo.checks.run import results
from quota_enforcer.local.demo.progress import Progress
from quota_enforcer.local.demo.record import RunRecord
from quota_enforcer.local.demo.story import Story
from quota_enforcer.local.demo.transcript import as_json as for_machines
from quota_enforcer.local.demo.transcript import transcript
from quota_enforcer.local.deploy import StackError
from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.local.process import ServerError
from quota_enforcer.local.schedules import FunctionError

if find_spec("ministack") is None:  # only the server's process imports it
    raise ModuleNotFoundError("No module named 'ministack'", name="ministack")

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOPS = (BotoCoreError, ClientError, FunctionError, ServerError, StackError)
"""What may go wrong on the embedded AWS; each says at what, a function with its log."""


def demo(*, as_json: bool) -> None:
    """Play the story, print it, and exit with FAILED if something was not as it should be."""
    template = find_template()
    record = RunRecord()
    progress = Progress(console(stderr=True), record)
    try:
        with signals_end_it(), progress.shown(), EmbeddedAws() as aws:
            Story(aws, record, progress.look).play(template)
    except STOPS as error:
        raise DemoStopped(f"the demo stopped: {error}") from error
    checked = results(record)
    if as_json:
        say_json(for_machines(record, checked))
    else:
        out = console()
        for part in transcript(record, checked):
            out.print(part)
    if wrong := [words for words, good in checked.items() if not good]:
        fail(f"not as it should be: {'; '.join(wrong)}")
        raise typer.Exit(FAILED)


def find_template() -> Path:
    """The checkout's template.yaml, or the one that was installed with the package.

    Raises:
        DemoStopped: there is none.
    """
    package = Path(quota_enforcer.__file__).parent
    for folder in (package.parents[1], package / "templates"):
        if (template := folder / "template.yaml").is_file():
            return template
    raise DemoStopped(
        f"template.yaml, which is deployed, is neither in {package.parents[1]} nor in "
        f"{package / 'templates'}: install quota-enforcer again, from a wheel or a checkout"
    )


@contextmanager
def signals_end_it() -> Iterator[None]:
    """Have a signal leave by way of every `with`, so that nothing stays behind."""

    def end(number: int, _frame: FrameType | None) -> None:
        for ending in _ENDINGS:
            signal.signal(ending, signal.SIG_IGN)  # a second one would cut the cleaning short
        sys.exit(128 + number)

    before = {ending: signal.signal(ending, end) for ending in _ENDINGS}
    try:
        yield
    finally:
        for ending, handler in before.items():
            signal.signal(ending, handler)
