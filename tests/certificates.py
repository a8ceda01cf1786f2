"""Certificates for tests: of one name or several, self-signed."""

from __future__ import annotations

import datetime
import secrets
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.http.accepting.certificates import PairFiles

DAY = datetime.timedelta(days=1)


def make(folder: Path, *names: str, stem: str = "server", days: float = 30, password: bytes = b"") -> PairFiles:
    """Write ``stem.pem`` and ``stem.key``; what stood there is replaced, the key first."""
    key = ec.generate_private_key(ec.SECP256R1())
    # Whoever trusts several tells them apart by their subject.
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{stem} {secrets.token_hex(8)}")])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 100 * DAY)
        .not_valid_after(now + days * DAY)
    )
    if names:
        several = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(several, critical=False)
    made = builder.sign(key, hashes.SHA256())
    secret = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    files = PairFiles(folder / f"{stem}.pem", folder / f"{stem}.key")
    files.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret))
    files.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return files


def trusting(*several: PairFiles) -> ssl.SSLContext:
    """A client's context that trusts these alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for files in several:
        context.load_verify_locations(files.certificate)
    return context
