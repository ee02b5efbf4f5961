"""`make demo`: draw a small scanned letter, send it through the running service, print what came back beside what was drawn.

The whole way is the one that any program takes: a token, POST /api/v1/jobs, the blocking result.
"""

import difflib
import io
import json
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http import HTTPStatus
from itertools import zip_longest
from pathlib import Path
from typing import Any

import click
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from recto.setting_layers import PROJECT_FOLDER
from recto.settings import load_settings
from recto.supervise import local_url

TEXT = """\
The lighthouse keeper's notes

The lamp was lit at sunset and burned until six in the morning.
Wind from the north-west, force 7; the sea rough, visibility good.
Two ships passed before midnight, both bound for the harbour.

Oil used: 14 litres. Wicks replaced: 2. Next delivery: 30 November.
"""
_DPI = 200
_SKEW_DEG = 1.7
_NOISE_LEVELS = 14.0
_WAIT_S = 60
_LABEL = "make demo"
START = "Start it with: make run"


def draw_scan(text: str, seed: int = 1) -> bytes:
    """PNG of the text as a scanner would give it back: 200 dpi, grey, skewed by 1.7 degrees, unevenly lit, noisy. Deterministic."""
    font = ImageFont.truetype("DejaVuSerif.ttf", size=round(11 / 72 * _DPI))
    page = Image.new("L", (round(6.2 * _DPI), round(2.6 * _DPI)), 255)
    ImageDraw.Draw(page).multiline_text((0.4 * _DPI, 0.4 * _DPI), text, fill=25, font=font, spacing=12)
    page = page.rotate(_SKEW_DEG, resample=Image.Resampling.BICUBIC, fillcolor=255)
    pixels = np.asarray(page, dtype=np.float64)
    light = np.linspace(0.98, 0.80, pixels.shape[1])
    noise = np.random.default_rng(seed).normal(0.0, _NOISE_LEVELS, pixels.shape)
    scanned = io.BytesIO()
    Image.fromarray(np.clip(pixels * light + noise, 0, 255).astype(np.uint8)).save(scanned, "PNG", dpi=(_DPI, _DPI))
    return scanned.getvalue()


def similarity(drawn: str, read: str) -> float:
    """0 to 1: the share of characters that agree in order; white space counts as one blank."""
    return difflib.SequenceMatcher(None, " ".join(drawn.split()), " ".join(read.split()), autojunk=False).ratio()


@contextmanager
def token_of(user: str) -> Iterator[str]:
    """An API token of the user for the time of the block, made as an administrator makes one."""
    token = _ocr_worker("tokens", "create", user, "--name", _LABEL).strip()
    try:
        yield token
    finally:
        for row in json.loads(_ocr_worker("tokens", "list", "--user", user, "--json")):
            if row["name"] == _LABEL:
                _ocr_worker("tokens", "revoke", user, str(row["id"]))


def _ocr_worker(*arguments: str) -> str:
    command = [sys.executable, str(PROJECT_FOLDER / "ocr_worker.py"), *arguments]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode:
        raise click.ClickException(f"No token, see above. Has Recto been started before? {START}")
    return ended.stdout


def recognise(base_url: str, token: str, document: bytes) -> str:
    """The text of the document as the service at `base_url` reads it. ClickException with the service's own words otherwise."""
    headers = {"Authorization": f"Bearer {token}"}
    query = urllib.parse.urlencode({"languages": "eng", "filename": "demo.png"})
    posted = _request(f"{base_url}api/v1/jobs?{query}", document, {**headers, "Content-Type": "image/png"})
    job = json.loads(posted)
    click.echo(f"Submitted as job {job['uuid']}; waiting for the text ...\n", err=True)
    result = urllib.parse.urljoin(base_url, job["links"]["result"])
    return _request(f"{result}?format=txt&wait={_WAIT_S}", None, headers).decode()


def _request(url: str, body: bytes | None, headers: dict[str, str]) -> bytes:
    """The body of the answer, redirects followed."""
    request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 - the address comes from whoever calls
    try:
        with urllib.request.urlopen(request, timeout=_WAIT_S + 30) as response:  # noqa: S310
            content: bytes = response.read()
            waiting = body is None and response.status == HTTPStatus.ACCEPTED
    except urllib.error.HTTPError as error:
        raise click.ClickException(_problem(error)) from error
    except urllib.error.URLError as error:
        raise click.ClickException(f"Nothing answers at {url} ({error.reason}). {START}") from error
    if waiting:
        raise click.ClickException(f"No text within {_WAIT_S} s. Is a Worker running? {START}")
    return content


def _problem(error: urllib.error.HTTPError) -> str:
    try:
        problem: dict[str, Any] = json.loads(error.read())
    except ValueError:
        return f"{error.url} answered {error.code} {error.reason}."
    return f"{problem.get('title')} ({error.code}). {problem.get('detail')}"


def _first_line_that_differs(drawn: str, read: str) -> str:
    pairs = zip_longest(_lines(drawn), _lines(read), fillvalue="(nothing)")
    return next(f"drawn: {one}\nread:  {other}" for one, other in pairs if one != other)


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


@click.command(help="Draw a scan, send it through the running service, print what came back.")
@click.option("--url", help="Address of the service; that of the settings where it is left out.")
@click.option("--token", help="API token; one is made and revoked again where it is left out.")
@click.option("--save", type=click.Path(dir_okay=False), help="Keep the drawn scan as this PNG file.")
def main(url: str | None, token: str | None, save: str | None) -> None:
    """Exit status 1 where what came back is not what was drawn."""
    settings = load_settings(os.environ)
    server = settings.server
    base_url = f"{url.rstrip('/')}/" if url else local_url(server.host, server.port, server.base_path)
    document = draw_scan(TEXT)
    if save:
        Path(save).write_bytes(document)
    with nullcontext(token) if token else token_of(settings.admin.username) as key:
        read = recognise(base_url, key, document)
    click.echo(read)
    if _lines(read) != _lines(TEXT):
        click.echo(_first_line_that_differs(TEXT, read), err=True)
        raise click.ClickException(f"{similarity(TEXT, read):.1%} of what was drawn came back.")
    click.echo("This is what was drawn, letter for letter.", err=True)


if __name__ == "__main__":
    main()
