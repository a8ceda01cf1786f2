"""The certificates of the public side: which one a client is shown, and how they are replaced while it serves.

Each pair of files has a context of its own. A handshake begins on one that has none and is handed to the context of the
name that the client asked for (SNI, RFC 6066 section 3), so a pair can be replaced between two handshakes: connections
that stand keep what they began with. A pair that cannot be used (half renewed, cut short, of two keys) is told and does
not replace the one in force; a worker that begins while there is such a pair goes without it until it can be used.
"""

from __future__ import annotations

import json
import os
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

    def handed_down(self) -> str:
        """An argument for a worker."""
        pairs = [(os.fspath(files.certificate), os.fspath(files.key)) for files in self.certificates]
        return json.dumps([pairs, self.min_version])

    @classmethod
    def inherited(cls, argument: str) -> ListeningTlsSettings:
        """What ``handed_down`` wrote."""
        pairs, oldest = json.loads(argument)
        return cls(tuple(PairFiles(Path(certificate), Path(key)) for certificate, key in pairs), oldest)


class _Pair:
    """One pair in force. ``names``: of its subject alternative names, in lower case. ``expires``: seconds since the
    epoch."""

    __slots__ = ("context", "expires", "files", "names")

    def __init__(self, files: PairFiles, oldest: ssl.TLSVersion) -> None:
        self.files = files
        self.context = _context(oldest)
        try:
            # An empty password: without one, a key that wants it would be asked for on the terminal.
            self.context.load_cert_chain(files.certificate, files.key, password="")
            self.names, self.expires = _read(files.certificate.read_bytes())
        except (OSError, ValueError) as error:
            raise UnusablePair(f"{files.certificate} and {files.key}: {_why(error)}") from None


class Certificates:
    """All pairs of the listeners. ``context``: for handshakes, whatever is replaced later.

    Raises UnusablePair, or, where pairs may be ``wanting``, goes without those: ``unusable`` says which, ``refresh``
    takes them once their files have changed. A handshake without any pair is refused.
    """

    def __init__(self, settings: ListeningTlsSettings, *, wanting: bool = False) -> None:
        self._oldest = VERSIONS[settings.min_version]
        self._files = settings.certificates
        self._seen: list[tuple[object, ...]] = [()] * len(self._files)  # when last looked at, used or not
        self._pairs: list[_Pair | None] = [None] * len(self._files)
        self._by_name: dict[str, _Pair] = {}
        _, self.unusable = self.refresh()
        if self.unusable and not wanting:
            raise self.unusable[0]
        self.context = _context(self._oldest)
        self.context.sni_callback = self._choose

    @property
    def expiries(self) -> dict[str, float]:
        """When each certificate in force expires, in seconds since the epoch, by the name of its file."""
        return {str(pair.files.certificate): pair.expires for pair in self._pairs if pair is not None}

    def refresh(self) -> tuple[list[str], list[UnusablePair]]:
        """Look whether files were changed: the names of those that were replaced, and what cannot be used.

        Either is told once for each change of a file.
        """
        replaced: list[str] = []
        unusable: list[UnusablePair] = []
        for place, files in enumerate(self._files):
            stamp = _stamp(files)
            if stamp == self._seen[place]:
                continue
            self._seen[place] = stamp
            try:
                self._pairs[place] = _Pair(files, self._oldest)
                replaced.append(str(files.certificate))
            except UnusablePair as error:
                unusable.append(error)
        if replaced:
            self._by_name = {name: pair for pair in reversed(self._pairs) if pair is not None for name in pair.names}
        return replaced, unusable

    def _choose(self, handshake: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        pair = self.chosen(name)
        if pair is None:
            return ssl.AlertDescription.ALERT_DESCRIPTION_INTERNAL_ERROR
        handshake.context = pair.context
        return None

    def chosen(self, name: str | None) -> _Pair | None:
        """The pair for a host: of its very name, of ``*`` in place of its first label (RFC 9525 section 6.3), or the
        first. None where there is none at all."""
        host = (name or "").lower().removesuffix(".")
        named = self._by_name.get(host) or self._by_name.get(f"*.{host.partition('.')[2]}")
        return named or next((pair for pair in self._pairs if pair is not None), None)


def _context(oldest: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = oldest
    context.set_ciphers(CIPHERS)
    context.set_alpn_protocols([PROTOCOL])
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    return context


def _stamp(files: PairFiles) -> tuple[object, ...]:
    """What tells that a file was written anew, is another one now, or may be read by others; links are followed."""
    told: list[object] = []
    for path in (files.certificate, files.key):
        try:
            found = path.stat()
            told.append((found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
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
