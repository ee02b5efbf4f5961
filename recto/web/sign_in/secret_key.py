"""The secret that signs session cookies and links: random, made once, kept beside the database."""

import os
import secrets
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from recto.errors import SettingsError, StorageUnavailable

_LEAST_BYTES: Final = 32


def load_secret_key(file: Path, given: str = "") -> bytes:
    """The secret that was given, else that in `file`; StorageUnavailable where it cannot be read or made, SettingsError where it is none."""
    if given:
        return _long_enough(given.encode(), "server.secret_key is too short. Make one with: openssl rand -hex 32.")
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
    unusable = (
        f"{file} holds no usable secret. Delete it: a new one is made at the next start, and everybody signs in anew."
    )
    return _long_enough(file.read_bytes().strip(), unusable)


def _long_enough(key: bytes, otherwise: str) -> bytes:
    if len(key) < _LEAST_BYTES:
        raise SettingsError(otherwise)
    return key
