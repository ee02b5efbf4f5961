"""Which Recto, and with which token: from the environment, or from what `recto login` kept."""

import json
import os
from pathlib import Path
from typing import Final

import click

from recto_client.client import Client

URL_VARIABLE: Final = "RECTO_URL"
TOKEN_VARIABLE: Final = "RECTO_TOKEN"  # noqa: S105 - a name
_OWN_ALONE: Final = 0o600


def file() -> Path:
    """Where they are kept: in the folder that the system has for such things."""
    return Path(click.get_app_dir("recto")) / "login.json"


def keep(url: str, token: str) -> None:
    """Write them down for this user alone. OSError."""
    place = file()
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = place.with_name(f".{place.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWN_ALONE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            json.dump({"url": url, "token": token}, out)
        part.replace(place)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def connected(patience_s: float = 60.0) -> Client:
    """A client. UsageError where nobody has signed in yet."""
    kept = _kept() if not os.environ.get(URL_VARIABLE) or not os.environ.get(TOKEN_VARIABLE) else {}
    url = os.environ.get(URL_VARIABLE) or kept.get("url")
    token = os.environ.get(TOKEN_VARIABLE) or kept.get("token")
    if not url or not token:
        raise click.UsageError(
            f"No Recto is known yet. Run: recto login http://127.0.0.1:8080, or set {URL_VARIABLE} and {TOKEN_VARIABLE}."
        )
    return client_for(url, token, patience_s)


def client_for(url: str, token: str, patience_s: float) -> Client:
    """A client of that Recto. UsageError where either cannot be right."""
    try:
        return Client(url, token, patience_s=patience_s)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _kept() -> dict[str, str]:
    try:
        kept = json.loads(file().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        kept = None
    if not isinstance(kept, dict):
        raise click.UsageError(f"{file()} is damaged. Run `recto login` again.")
    return kept
