"""The certificates of the public side: which one a client is shown, and how they are replaced while it serves.

Each pair of files has a context of its own. A handshake begins on one that has none and is handed to the context of the
name that the client asked for (SNI, RFC 6066 section 3), so a pair can be replaced between two handshakes: connections
that stand keep what they began with. A pair that cannot be used (half renewed, cut short, of two keys) is told and does
not replace the one in force.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filters.model.errors import TidegateError

PROTOCOL: Final = "http/1.1"
"""The one name in ALPN (RFC 7301): HTTP/2 ends at what stands in front."""
CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: with forward secrecy and authenticated (RFC 9325 section 4.2). TLS 1.3 has no others."""
VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class UnusablePair(TidegateError):
    """A certificate and its key cannot be used; the text names the file and says why."""


@dataclass(frozen=True, slots=True)
class PairFiles:
    """``certificate``: a chain in PEM, the server's own first. ``key``: its private key in PEM, without a password."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class ListeningTlsSettings:
    """``certificates``: the first is shown where no name fits. ``min_version``: ``1.2`` or ``1.3``."""

    certificates: tuple[PairFiles, ...]
    min_version: str = "1.2"


class _Pair:
    """One pair in force. ``names``: of its subject alternative names, in lower case. ``expires``: seconds since the
    epoch. ``seen``: the files as they were when they were last looked at, used or not."""

    __slots__ = ("context", "expires", "files", "names", "seen")

    def __init__(self, files: PairFiles, oldest: ssl.TLSVersion) -> None:
        self.files = files
        self.seen = _stamp(files)
        self.context = _context(oldest)
        try:
            # An empty password: without one, a key that wants it would be asked for on the terminal.
            self.context.load_cert_chain(files.certificate, files.key, password="")
            self.names, self.expires = _read(files.certificate.read_bytes())
        except (OSError, ValueError) as error:
            raise UnusablePair(f"{files.certificate} and {files.key}: {_why(error)}") from None


class Certificates:
    """All pairs of the listeners. ``context``: for handshakes, whatever is replaced later. Raises UnusablePair."""

    def __init__(self, settings: ListeningTlsSettings) -> None:
        self._oldest = VERSIONS[settings.min_version]
        self._pairs = [_Pair(files, self._oldest) for files in settings.certificates]
        self._by_name: dict[str, _Pair] = {}
        self._index()
        self.context = _context(self._oldest)
        self.context.sni_callback = self._choose

    @property
    def expiries(self) -> dict[str, float]:
        """When each certificate in force expires, in seconds since the epoch, by the name of its file."""
        return {str(pair.files.certificate): pair.expires for pair in self._pairs}

    def refresh(self) -> tuple[list[str], list[UnusablePair]]:
        """Look whether files were changed: the names of those that were replaced, and what cannot be used.

        Either is told once for each change of a file.
        """
        replaced: list[str] = []
        unusable: list[UnusablePair] = []
        for place, pair in enumerate(self._pairs):
            stamp = _stamp(pair.files)
            if stamp == pair.seen:
                continue
            pair.seen = stamp
            try:
                self._pairs[place] = _Pair(pair.files, self._oldest)
                replaced.append(str(pair.files.certificate))
            except UnusablePair as error:
                unusable.append(error)
        if replaced:
            self._index()
        return replaced, unusable

    def _index(self) -> None:
        self._by_name = {name: pair for pair in reversed(self._pairs) for name in pair.names}

    def _choose(self, handshake: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        handshake.context = self.chosen(name).context

    def chosen(self, name: str | None) -> _Pair:
        """The pair for a host: of its very name, of ``*`` in place of its first label (RFC 9525 section 6.3), or the
        first."""
        if name is None:
            return self._pairs[0]
        host = name.lower().removesuffix(".")
        return self._by_name.get(host) or self._by_name.get(f"*.{host.partition('.')[2]}") or self._pairs[0]


def _context(oldest: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = oldest
    context.set_ciphers(CIPHERS)
    context.set_alpn_protocols([PROTOCOL])
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    return context


def _stamp(files: PairFiles) -> tuple[object, ...]:
    """What tells that a file was written anew, or is another one now; links are followed."""
    told: list[object] = []
    for path in (files.certificate, files.key):
        try:
            found = path.stat()
            told.append((found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns))
        except OSError as error:
            told.append(error.errno)
    return tuple(told)


def _read(chain: bytes) -> tuple[Sequence[str], float]:
    from cryptography import x509

    first = x509.load_pem_x509_certificates(chain)[0]
    try:
        several = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [name.lower() for name in several.get_values_for_type(x509.DNSName)]
    except x509.ExtensionNotFound:
        names = []
    return names, first.not_valid_after_utc.timestamp()


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return "the key is of another certificate"
    if isinstance(error, ssl.SSLError):
        return f"not a chain and its key in PEM, without a password ({error.reason or 'unreadable'})"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "not a certificate in PEM"
