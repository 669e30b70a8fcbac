"""Passwords of the engines: made once, kept in the data directory, readable by their owner alone."""

import os
import secrets
from pathlib import Path

from haitang.base.disk import put


def kept_secret(file: Path) -> str:
    """The secret in `file`, made at first use."""
    if not file.exists():
        draft = file.with_suffix(".new")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(secrets.token_urlsafe(24))
        put(draft, file)  # or a cluster may be there after a power loss whose password is not
    return file.read_text("ascii").strip()
