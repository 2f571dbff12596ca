"""The pictures of the manual: each is shown, each that is shown is there, and is small."""

import re
import struct
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FILES = sorted(each.name for each in PICTURES.iterdir() if each.suffix in {".png", ".svg"})
MOST = 300_000


def shown() -> set[str]:
    """The pictures that pages show or lead to."""
    return {
        Path(link).name
        for page in PAGES
        for link in re.findall(r"\]\(([^)]*pictures/[^)]*)\)", page.read_text(encoding="utf-8"))
    }


def test_every_picture_that_a_page_names_is_there() -> None:
    assert shown() <= set(FILES)


def test_no_light_picture_is_there_that_no_page_names() -> None:
    assert {name for name in FILES if not name.endswith("-dark.png")} <= shown()


@pytest.mark.parametrize("name", FILES)
def test_a_picture_is_small_in_bytes_and_large_enough_to_be_read(name: str) -> None:
    raw = (PICTURES / name).read_bytes()
    assert len(raw) < MOST
    if name.endswith(".png"):
        assert raw.startswith(b"\x89PNG")
        width, height = struct.unpack(">II", raw[16:24])
        assert width >= 360
        assert height >= 700
