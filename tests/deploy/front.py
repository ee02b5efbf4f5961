"""Debian's nginx with deploy/nginx/recto.conf in front of real Backends on one File Storage and one database.

What differs from the file are names and ports: Debian's nginx is older than `resolve`, by which one name stands for all Backends.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.deploy.compose import ROOT
from tests.ports import free_port, wait_until_listening
from tests.web.clients import PASSWORD
from tests.web.live_server import LiveServer

CONFIGURATION: Final = ROOT / "deploy" / "nginx" / "recto.conf"
_AROUND: Final = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/recto.conf;
}}
"""
_UNPACKED: Final = ROOT / ".make" / "nginx" / "usr" / "sbin" / "nginx"
"""Where `make test-services` puts it: installed, it would listen on port 80."""
_START_S: Final = 20.0


@dataclass
class Front:
    """`address` is nginx's, in front of the Backends, `store_address` in front of the store."""

    address: str
    store_address: str
    folder: Path
    backends: list[LiveServer] = field(default_factory=list)


def placed(text: str, backends: list[str], store: str, ports: tuple[int, int]) -> str:
    """The configuration for Backends and a store at these addresses, listening on those ports of the loopback."""
    server = re.search(r"server backend:8080 resolve (?P<rest>[^;]+);", text)
    assert server is not None
    text = text.replace(server[0], " ".join(f"server {backend} {server['rest']};" for backend in backends))
    text = text.replace("server store:7070 resolve;", f"server {store};")
    text = re.sub(r"^resolver .+;$", "", text, flags=re.MULTILINE)
    for listened, port in zip(("8080", "8081"), ports, strict=True):
        text = text.replace(f"listen {listened};", f"listen 127.0.0.1:{port};")
    assert "resolve;" not in text
    return text


@contextmanager
def in_front(folder: Path, store: str = "127.0.0.1:9", count: int = 2) -> Iterator[Front]:
    """That many Backends with a proxy in front."""
    storage = folder / "storage"
    storage.mkdir()
    environ = {"RECTO_ADMIN_PASSWORD": PASSWORD, "RECTO_SERVER_TRUSTED_PROXIES": "1", "RECTO_LOG_LEVEL": "debug"}
    with ExitStack() as stack:
        backends = []
        for number in range(count):
            name = folder / f"backend-{number}"  # each writes its log beside a name of its own
            name.symlink_to(storage)
            backends.append(LiveServer(name, environ))
            stack.callback(backends[-1].stop)
        ports = (free_port(), free_port())
        stack.enter_context(_nginx(folder, [f"{one.host}:{one.port}" for one in backends], store, ports))
        yield Front(f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}", storage, backends)


@contextmanager
def _nginx(folder: Path, backends: list[str], store: str, ports: tuple[int, int]) -> Iterator[None]:
    text = placed(CONFIGURATION.read_text(encoding="utf-8"), backends, store, ports)
    (folder / "recto.conf").write_text(text, encoding="utf-8")
    (folder / "nginx.conf").write_text(_AROUND.format(folder=folder), encoding="utf-8")
    command = [shutil.which("nginx") or str(_UNPACKED), "-p", str(folder), "-c", "nginx.conf"]
    with (folder / "nginx.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        wait_until_listening(ports[0], process, _START_S, (folder / "nginx.log").read_text)
        yield
    finally:
        process.terminate()
        process.wait(20)
