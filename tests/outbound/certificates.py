"""A host of this machine with a certificate, from an authority that nobody trusts who is not told to."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass
class CertifiedHost:
    """Answers 200 over TLS, once the body `{}` was sent. `asked_for` are the names that clients said they wanted, `received` what they sent."""

    certificate: Path
    asked_for: list[str | None] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)

    def trusting(self) -> ssl.SSLContext:
        """A client's side that trusts the host's certificate."""
        return ssl.create_default_context(cafile=str(self.certificate))

    @contextmanager
    def serving(self) -> Iterator[int]:
        """Serve while the block runs, on the port that it gives."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        context.sni_callback = lambda _socket, name, _context: self.asked_for.append(name)
        self.asked_for.clear()
        self.received.clear()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=self._serve, args=(listener, context))
            thread.start()
            yield listener.getsockname()[1]
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()

    def _serve(self, listener: socket.socket, context: ssl.SSLContext) -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with plain, suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
                request = b""
                while not request.endswith(b"{}"):  # closing over what was not read would reset the connection
                    more = connection.recv(65536)
                    if not more:
                        break
                    request += more
                self.received.append(request)
                connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")


def certified_host(folder: Path, name: str) -> CertifiedHost:
    """A host with a certificate for that name, which it has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(own)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    file = folder / "host.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
    return CertifiedHost(file)
