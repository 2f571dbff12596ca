"""Where to ask, as an option of every form of `me`."""

from typing import Annotated, Final

import typer

URL: Final = "QUOTA_ENFORCER_URL"
Url = Annotated[
    str | None,
    typer.Option(envvar=URL, help="The stack's output MeUrl. Default: read it there."),
]
