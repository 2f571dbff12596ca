"""Texts that somebody else wrote, so that they do nothing where they are shown."""

import codecs
import sys
import unicodedata
from typing import Final

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's control, format and surrogate characters, and its line and paragraph separators."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a cell begins that a spreadsheet computes.

https://owasp.org/www-community/attacks/CSV_Injection
"""
_KEPT: Final = "\n\t"


def escaped(text: str) -> str:
    """Without what moves the cursor, colours, or turns the direction of what follows."""
    if text.isprintable() or text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(
        each if each in _KEPT or unicodedata.category(each) not in _UNSEEN else repr(each)[1:-1]
        for each in text
    )


def spreadsheet_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula, and no reader for two rows."""
    shown = escaped(text)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


_LOOKALIKES: Final = {
    "…": "...", "→": "->", "←": "<-", "≤": "<=", "≥": ">=", "≈": "~", "•": "*", "·": ".", "—": "-",
    "░": ".", "\u00d7": "x", "\u2013": "-", "\u2018": "'", "\u2019": "'", "“": '"', "”": '"',
}  # fmt: skip
_LINES: Final = range(0x2500, 0x2580)
_BLOCKS: Final = range(0x2580, 0x25A0)
_ACROSS: Final = "─━┄┅┈┉╌╍═╴╶╸╺╼╾"
_DOWN: Final = "│┃┆┇┊┋╎╏║╵╷╹╻╽╿"


def _lookalike(character: str) -> str:
    """What an encoding has for a character that it has not; else an escape that loses nothing."""
    if character in _LOOKALIKES:
        return _LOOKALIKES[character]
    if ord(character) in _LINES:
        return "-" if character in _ACROSS else "|" if character in _DOWN else "+"
    if ord(character) in _BLOCKS:
        return "#"
    return character.encode("ascii", "backslashreplace").decode()


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_lookalike, error.object[error.start : error.end])), error.end


def survive_encodings() -> None:
    """Have stdout and stderr replace what their encoding lacks: a pipe may be cp1252 or ASCII."""
    codecs.register_error(__name__, _replaced)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=__name__)
