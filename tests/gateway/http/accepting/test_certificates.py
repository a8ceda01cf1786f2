"""Certificates: chosen by name, replaced when their files change, and kept where the new ones cannot be used."""

from __future__ import annotations

import errno
import ssl
import time
from pathlib import Path

import pytest

from gateway.http.accepting.certificates import Certificates, ListeningTlsSettings, PairFiles, UnusablePair
from tests.certificates import make, trusting


def of(*files: PairFiles, oldest: str = "1.2") -> Certificates:
    return Certificates(ListeningTlsSettings(files, oldest))


def shake(certificates: Certificates, client: ssl.SSLContext, name: str) -> ssl.SSLObject:
    """A handshake in memory; gives the client's side. Raises SSLError as a client would."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(down, up, server_hostname=name)
    serving = certificates.context.wrap_bio(up, down, server_side=True)
    for _ in range(10):
        waits = 0
        for side in (asking, serving):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                waits += 1
        if not waits:
            return asking
    raise AssertionError("no end")


def test_a_name_chooses(tmp_path: Path) -> None:
    first = make(tmp_path, "a.example", stem="a")
    second = make(tmp_path, "b.example", "*.c.example", stem="b")
    certificates = of(first, second)
    for name, files in (("a.example", first), ("B.example", second), ("x.c.example", second), ("b.example.", second)):
        shake(certificates, trusting(files), name.removesuffix(".").lower())
        assert certificates.chosen(name).files == files
    for name in (None, "else.example", "c.example", "y.x.c.example", ""):
        assert certificates.chosen(name).files == first
    assert certificates.expiries.keys() == {str(first.certificate), str(second.certificate)}


def test_the_first_of_two_with_one_name_is_shown(tmp_path: Path) -> None:
    several = [make(tmp_path, "a.example", stem=stem) for stem in "ab"]
    assert of(*several).chosen("a.example").files == several[0]


def test_protocol_and_versions(tmp_path: Path) -> None:
    files = make(tmp_path, "a.example")
    client = trusting(files)
    client.set_alpn_protocols(["h2", "http/1.1"])
    assert shake(of(files), client, "a.example").selected_alpn_protocol() == "http/1.1"
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    told = shake(of(files), client, "a.example")
    assert told.version() == "TLSv1.2"
    assert told.cipher()[0].startswith("ECDHE-")  # type: ignore[index]
    with pytest.raises(ssl.SSLError):
        shake(of(files, oldest="1.3"), client, "a.example")


def test_a_renewed_pair_is_taken(tmp_path: Path) -> None:
    files = make(tmp_path, "a.example", days=1)
    certificates = of(files)
    assert certificates.refresh() == ([], [])
    old = trusting(files)
    shake(certificates, old, "a.example")
    make(tmp_path, "a.example", "also.example", days=30)
    assert certificates.refresh() == ([str(files.certificate)], [])
    assert certificates.refresh() == ([], [])
    shake(certificates, trusting(files), "also.example")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(certificates, old, "a.example")
    assert certificates.expiries[str(files.certificate)] > time.time() + 86400 * 29


def test_a_key_before_its_certificate(tmp_path: Path) -> None:
    files = make(tmp_path, "a.example")
    certificates = of(files)
    old = trusting(files)
    before = files.certificate.read_bytes()
    make(tmp_path, "a.example")
    after = files.certificate.read_bytes()
    files.certificate.write_bytes(before)
    replaced, (problem,) = certificates.refresh()
    assert not replaced
    assert str(problem) == f"{files.certificate} and {files.key}: the key is of another certificate"
    assert certificates.refresh() == ([], [])  # told once
    shake(certificates, old, "a.example")
    files.certificate.write_bytes(after)
    assert certificates.refresh() == ([str(files.certificate)], [])
    shake(certificates, trusting(files), "a.example")


def test_a_file_that_goes_and_comes(tmp_path: Path) -> None:
    files = make(tmp_path, "a.example")
    certificates = of(files)
    kept = files.key.read_bytes()
    files.key.unlink()
    _, (problem,) = certificates.refresh()
    assert "No such file" in str(problem)
    shake(certificates, trusting(files), "a.example")
    files.key.write_bytes(kept)
    assert certificates.refresh() == ([str(files.certificate)], [])


def test_a_file_that_may_be_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Renewed by somebody else's tool, and given to us afterwards: neither its size nor its time changes with that."""
    files = make(tmp_path, "a.example")
    certificates = of(files)
    make(tmp_path, "a.example", "also.example")

    def not_ours(_: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", not_ours)
        _, (problem,) = certificates.refresh()
        assert "Permission denied" in str(problem)
        assert certificates.refresh() == ([], [])
    files.certificate.chmod(0o640)
    assert certificates.refresh() == ([str(files.certificate)], [])
    shake(certificates, trusting(files), "also.example")


def test_links_that_are_turned_to_another_folder(tmp_path: Path) -> None:
    """As Kubernetes does with its secrets, and certbot with single files."""
    for folder in ("first", "then"):
        (tmp_path / folder).mkdir()
    first, then = (make(tmp_path / folder, "a.example") for folder in ("first", "then"))
    (tmp_path / "data").symlink_to("first")
    files = PairFiles(tmp_path / "server.pem", tmp_path / "server.key")
    for path in (files.certificate, files.key):
        path.symlink_to(Path("data", path.name))
    certificates = of(files)
    shake(certificates, trusting(first), "a.example")
    (tmp_path / "aside").symlink_to("then")
    (tmp_path / "aside").rename(tmp_path / "data")
    assert certificates.refresh() == ([str(files.certificate)], [])
    shake(certificates, trusting(then), "a.example")


def test_a_worker_that_begins_goes_without_what_cannot_be_used(tmp_path: Path) -> None:
    first, second = make(tmp_path, "a.example", stem="a"), make(tmp_path, "b.example", stem="b")
    kept = first.key.read_bytes()
    first.key.unlink()
    certificates = Certificates(ListeningTlsSettings((first, second)), wanting=True)
    assert [str(first.certificate) in str(problem) for problem in certificates.unusable] == [True]
    shake(certificates, trusting(second), "b.example")
    for name in ("a.example", None):
        assert certificates.chosen(name).files == second  # type: ignore[union-attr]
    first.key.write_bytes(kept)
    assert certificates.refresh() == ([str(first.certificate)], [])
    shake(certificates, trusting(first), "a.example")
    assert certificates.chosen(None).files == first  # type: ignore[union-attr]


def test_without_any_pair_a_handshake_is_refused(tmp_path: Path) -> None:
    files = make(tmp_path, "a.example")
    kept = files.key.read_bytes()
    files.key.write_bytes(b"")
    certificates = Certificates(ListeningTlsSettings((files,)), wanting=True)
    assert (certificates.chosen("a.example"), certificates.expiries) == (None, {})
    with pytest.raises(ssl.SSLError, match=r"(?i)callback.failed"):
        shake(certificates, trusting(files), "a.example")
    files.key.write_bytes(kept)
    certificates.refresh()
    shake(certificates, trusting(files), "a.example")


def test_what_is_handed_down_is_inherited(tmp_path: Path) -> None:
    settings = ListeningTlsSettings((PairFiles(tmp_path / "a.pem", tmp_path / "a.key"),) * 2, "1.3")
    assert ListeningTlsSettings.inherited(settings.handed_down()) == settings


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda files: files.certificate.write_bytes(files.certificate.read_bytes()[:200]), "not a chain"),
        (lambda files: files.certificate.write_bytes(b""), "not a chain"),
        (lambda files: files.certificate.write_bytes(files.key.read_bytes()), "not a chain"),
        (lambda files: files.key.write_bytes(b"\xff\xfe"), "not a chain"),
        (lambda files: files.key.unlink(), "No such file"),
        (lambda files: make(files.key.parent, "a.example", password=b"secret"), "without a password"),
        (lambda files: make(files.key.parent, "b.example", stem="other").key.rename(files.key), "of another"),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, spoil, why: str) -> None:
    files = make(tmp_path, "a.example")
    spoil(files)
    with pytest.raises(UnusablePair, match=why) as raised:
        of(files)
    assert str(files.certificate) in str(raised.value)


def test_a_certificate_without_names_serves_whoever_comes(tmp_path: Path) -> None:
    files = make(tmp_path)
    client = trusting(files)
    client.check_hostname = False
    shake(of(files), client, "a.example")
