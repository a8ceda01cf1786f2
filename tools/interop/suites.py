"""Which suites, in which versions, with what they need, and which of their files."""

from __future__ import annotations

from typing import Final, NamedTuple


class Suite(NamedTuple):
    """``needs``: packages besides ``name`` itself. ``files``: under the unpacked source. ``arguments``: for pytest."""

    name: str
    version: str
    needs: tuple[str, ...]
    files: tuple[str, ...]
    arguments: tuple[str, ...] = ()

    @property
    def requirement(self) -> str:
        """As pip reads it."""
        return f"{self.name}=={self.version}"


SUITES: Final[dict[str, Suite]] = {
    suite.name: suite
    for suite in (
        Suite(
            "requests",
            "2.32.5",
            (
                "pytest==8.4.2", "pytest-httpbin==2.1.0", "httpbin==0.10.2", "trustme==1.2.1", "PySocks==1.7.1",
                "pytest-mock==3.15.1",
            ),
            ("tests/test_requests.py", "tests/test_lowlevel.py"),
        ),
        Suite(
            "httpx",
            "0.28.1",
            (
                "pytest==8.4.2", "uvicorn==0.38.0", "trio==0.32.0", "trustme==1.2.1", "chardet==5.2.0",
                "cryptography==46.0.3", "brotli==1.2.0", "zstandard==0.25.0", "h2==4.3.0", "socksio==1.0.0",
                "click==8.3.1", "rich==14.2.0", "pygments==2.19.2",
            ),
            ("tests",),
        ),
        Suite(
            "aiohttp",
            "3.14.5",
            (
                "pytest==8.4.2", "pytest-mock==3.15.1", "trustme==1.2.1", "re-assert==1.1.0", "freezegun==1.5.5",
                "blockbuster==1.5.25", "brotli==1.2.0", "isal==1.8.0", "zlib-ng==1.0.0", "proxy.py==2.4.10",
                "pytest-timeout==2.4.0", "pytest-xdist==3.8.0", "backports.zstd==1.0.0", "cryptography==46.0.3",
                "pytest-aiohttp==1.1.0",
            ),
            (
                "tests/test_client_functional.py", "tests/test_web_functional.py", "tests/test_client_ws_functional.py",
                "tests/test_web_websocket_functional.py",
            ),
            ("-p", "no:randomly", "--timeout", "60"),
        ),
    )
}  # fmt: skip
