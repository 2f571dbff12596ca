"""Where the picture of a simulation is written."""

from collections.abc import Mapping
from pathlib import Path

import typer

from quota_enforcer.cli.files.replacing import replace_file
from quota_enforcer.cli.terminal.errors import FAILED, needing
from quota_enforcer.cli.terminal.output import fail, hint, waiting
from quota_enforcer.core.principal import Principal
from quota_enforcer.insight.simulate.replay import Simulated
from quota_enforcer.insight.simulate.trace import Trace

PAGES = {".html", ".htm"}
DRAWINGS = {".svg"}


def picture_file(file: Path | None) -> Path | None:
    """Its ending says what is written."""
    if file is not None and file.suffix.lower() not in PAGES | DRAWINGS:
        raise typer.BadParameter(
            f"{file} ends in neither .html, a page with tables, nor .svg, one drawing"
        )
    return file


def write_picture(file: Path, outcomes: Mapping[Principal, Simulated], trace: Trace) -> None:
    """Replaces the file. Without any call there is nothing to draw."""
    if not trace.arrivals:
        hint(f"No call was counted, so {file} is not written.")
        return
    with needing("report", "a picture"):
        from quota_enforcer.insight.simulate import picture  # noqa: PLC0415 - drawing loads a lot
    draw = picture.as_page if file.suffix.lower() in PAGES else picture.as_drawing
    with waiting("Drawing"):
        drawn = draw(outcomes, trace).encode()
    try:
        replace_file(file, drawn)
    except OSError as error:
        fail(f"cannot write {file}: {error.strerror}; name another file with --picture")
        raise typer.Exit(FAILED) from error
    hint(f"{file}: {len(drawn) / 1e6:.1f} MB.")
