"""Replaces a file that somebody may have open, or may want back."""

from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Write it whole or not at all, so that a full disk destroys no old one; raises OSError."""
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
