"""The secret that signs session cookies and links: random, made once, kept beside the database."""

import os
import secrets
from pathlib import Path
from tempfile import NamedTemporaryFile

from recto.errors import SettingsError, StorageUnavailable


def load_secret_key(file: Path) -> bytes:
    """The secret in `file`; StorageUnavailable where it cannot be read or made, SettingsError where it is none."""
    try:
        return _load(file)
    except OSError as error:
        raise StorageUnavailable(
            f"The session secret {file} cannot be used: {error.strerror}. Check the rights of its folder."
        ) from error


def _load(file: Path) -> bytes:
    """The secret in `file`, mode 0600, at least 32 bytes. Made at the first call; two Backends that start together agree on one."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=file.parent, prefix=".secret-") as candidate:  # made with mode 0600
            candidate.write(secrets.token_hex(32).encode())
            candidate.flush()
            os.fsync(candidate.fileno())
            try:
                os.link(candidate.name, file)  # fails where another Backend was first
            except FileExistsError:
                return _load(file)
    key = file.read_bytes().strip()
    if len(key) < 32:
        raise SettingsError(
            f"{file} holds no usable secret. Delete it: a new one is made at the next start, and everybody signs in anew."
        )
    return key
