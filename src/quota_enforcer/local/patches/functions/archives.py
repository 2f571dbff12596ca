"""A function's archive is unpacked once, for all workers that ever run it.

The emulator unpacks it for each, which takes as long as the function's first invocation.
On Lambda /var/task is read-only, so nothing is lost where workers share it; what they do write is
the bytecode of its modules.
"""

import hashlib
import threading
import zipfile
from pathlib import Path
from tempfile import gettempdir
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime

_one_at_a_time = threading.Lock()


class Archive(zipfile.ZipFile):
    """A zip file that is unpacked into one folder, to which all others link."""

    def extractall(self, path: Any = None, *_: Any, **__: Any) -> None:
        """Make the folder, which is there and empty, a link to the one with the files."""
        content = Path(str(self.filename)).read_bytes()
        shared = Path(gettempdir()) / f"code-{hashlib.sha256(content).hexdigest()[:16]}"
        with _one_at_a_time:
            if not shared.exists():
                super().extractall(shared)
        link = Path(path)
        link.rmdir()
        link.symlink_to(shared, target_is_directory=True)


def install() -> None:
    """Let each worker find its code in the shared folder."""
    lambda_runtime.zipfile = SimpleNamespace(**vars(zipfile) | {"ZipFile": Archive})
