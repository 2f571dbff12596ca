"""Plays the demo and draws docs/pictures/demo.svg, the README's picture; `make picture` runs it."""

import io
import re
from pathlib import Path
from typing import Final

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from quota_enforcer.cli.offline.demo import find_template
from quota_enforcer.local.demo import cast
from quota_enforcer.local.demo.record import RunRecord, TimelineRow
from quota_enforcer.local.demo.story import Story
from quota_enforcer.local.demo.transcript import timeline
from quota_enforcer.local.embedded import EmbeddedAws

PICTURE: Final = Path(__file__).with_name("demo.svg")
_SHOWN: Final = {str(who) for who in (cast.FRANK, cast.BOB, cast.BATCH, cast.KIM, cast.GRACE)}
"""Each is blocked in another way: dollars, tokens, requests, the expensive model first, a gate."""
_LINES: Final = 28
_WIDTH: Final = 97
_WITHOUT_FONTS: Final = re.sub(r"@font-face {{.*?}}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
"""No request to another host: the reader's own monospaced font does."""


def drawn(record: RunRecord) -> str:
    """The part of the timeline that is about a few, as a terminal shows it."""
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ quota-enforcer demo", "bold"))
    console.print(timeline(RunRecord(rows=[row for row in record.rows if _is_shown(row)][:_LINES])))
    console.print()  # the last line of a picture is cut a little
    return console.export_svg(
        title="quota-enforcer demo", code_format=_WITHOUT_FONTS, unique_id="demo"
    )


def _is_shown(row: TimelineRow) -> bool:
    """Rows of these people, of what an admin does for them, and of the first deny."""
    return row.who in _SHOWN or not row.who or any(who in row.what for who in _SHOWN)


def main() -> None:
    record = RunRecord()
    with EmbeddedAws() as aws:
        Story(aws, record, lambda _: None).play(find_template())
    PICTURE.write_text(drawn(record), encoding="utf-8")


if __name__ == "__main__":
    main()
