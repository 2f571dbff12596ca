"""What `make release` made, and a bare environment with the wheel."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RELEASE = ROOT / ".build/release"


@pytest.fixture(scope="session")
def wheel() -> Path:
    [found] = RELEASE.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of the stack, unpacked as somebody who deploys it does."""
    [archive] = RELEASE.glob("quota-enforcer-stack-*.zip")
    folder = tmp_path_factory.mktemp("stack")
    zipfile.ZipFile(archive).extractall(folder)
    return folder


@pytest.fixture(scope="session")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that has the wheel with all extras, and what these need."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder)
    uv = str(Path(sys.executable).with_name("uv"))
    install = [uv, "pip", "install", "--quiet", "--python", str(folder / "bin/python")]
    locked = ["--constraint", str(ROOT / "requirements.lock")]
    subprocess.run([*install, *locked, f"{wheel}[all]"], check=True)  # noqa: S603 - our own tools
    return folder / "bin"


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of somebody without a checkout."""
    home = tmp_path_factory.mktemp("home")
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "PATH") if name in os.environ}
    return kept | {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "TMPDIR": str(home)}
