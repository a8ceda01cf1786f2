"""Values as an operator writes them, for the sections: ``64KiB``, ``20ms``, ``127.0.0.1:8080``, ``10.0.0.0/8``."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

from gateway.common.units import Rate, duration, rate, size
from gateway.http.wire.address import parse_address

Network = IPv4Network | IPv6Network


def address(value: Any) -> str:
    """``127.0.0.1:8080``, ``[::1]:8080``, ``:8080`` (every address) or ``unix:/path``, as it was written."""
    if isinstance(value, str) and value.startswith("unix:/"):
        return value
    host, colon, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    known = ":" not in host or (host.startswith("[") and host.endswith("]"))
    if not colon or not known or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ValueError("is not an address: write host:port, such as “0.0.0.0:8080” or “[::]:8080”, or “unix:/path”")
    return str(value)


def addresses(value: Any) -> Any:
    """One address, or a list of them. ValueError for what is neither."""
    if not isinstance(value, str | list | tuple):
        raise ValueError("is not an address: write host:port, such as “0.0.0.0:8080”, or several in [brackets]")
    return [value] if isinstance(value, str) else value


def server_url(value: Any) -> str:
    """``http://127.0.0.1:9000``, ``https://host`` or ``unix:/path``, as it was written."""
    if not isinstance(value, str):
        raise ValueError("is not a server: write “http://host:port”, “https://host:port” or “unix:/path”")
    try:
        parse_address(value)
    except ValueError as error:
        # The parser repeats the address; a problem shows it anyway, with what may be secret taken out.
        raise ValueError(str(error).partition(": ")[2] or str(error)) from None
    return value


def network(value: Any) -> Network:
    """An address range from ``10.0.0.0/8``; a single address is a range of one."""
    try:
        return ip_network(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(
            "is not an address range: write one with its bits beyond the prefix at zero, such as “10.0.0.0/8”"
        ) from None


def local(value: Any, info: ValidationInfo) -> Path:
    """A path; a relative one starts at the configuration file's folder. Links stay: they may lead elsewhere later."""
    if not isinstance(value, (str, Path)) or not str(value) or "\0" in str(value):
        raise ValueError("is not a path: write it as text, absolute or relative to this file's folder")
    if "://" in str(value):
        raise ValueError("is no path but an address, and this is kept in a file: write a path")
    base: Path = (info.context or {}).get("base", Path())
    path = (base / value).absolute()
    up = [place for place, part in enumerate(path.parts) if part == ".."]
    # Above a link only the file system knows the way.
    return Path(*path.parts[: up[-1] + 1]).resolve().joinpath(*path.parts[up[-1] + 1 :]) if up else path


def present(value: Any, info: ValidationInfo) -> Path:
    """A path of a file that is there when the configuration is compiled. A process that begins in a generation does
    not look again (``compiled`` in the context): what a generation needs of it was taken, or is wanting then."""
    path = local(value, info)
    if (info.context or {}).get("compiled") is None and not path.is_file():
        raise ValueError(f"is no file ({path}): create it, or correct the path, relative to this file's folder")
    return path


def readable(value: Any, info: ValidationInfo) -> Path:
    """The same for a file that holds no secret: a generation has a copy (``files`` in the context collects them), and
    who begins in it reads the copy where the file says something else by now, or is gone (``compiled``)."""
    path = present(value, info)
    context = info.context or {}
    if (files := context.get("files")) is not None:
        files.add(path)
    compiled: Mapping[Path, Path] | None = context.get("compiled")
    return compiled.get(path, path) if compiled is not None else path


def _schema(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]})


def _or_zero(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": "string", "pattern": pattern}, {"const": 0}], "examples": [example]})


Size = Annotated[int, BeforeValidator(size), _or_zero(r"^\d+(\.\d+)? ?(B|KiB|MiB|GiB|TiB)$", "64KiB")]
Duration = Annotated[float, BeforeValidator(duration), _or_zero(r"^(\d+(\.\d+)?(us|ms|s|m|h|d))+$", "20ms")]
RateOf = Annotated[Rate, BeforeValidator(rate), _schema(r"^\d+/.+$", "5/10s")]
Listen = Annotated[str, BeforeValidator(address), _schema(r"^(.+:\d+|unix:/.+)$", "0.0.0.0:8080")]
ServerUrl = Annotated[str, BeforeValidator(server_url), _schema(r"^(https?://|unix:)", "http://127.0.0.1:9000")]
Range = Annotated[Network, BeforeValidator(network), _schema(r"^[0-9a-fA-F.:]+(/\d+)?$", "10.0.0.0/8")]
Readable = Annotated[Path, BeforeValidator(readable), WithJsonSchema({"type": "string"})]
Present = Annotated[Path, BeforeValidator(present), WithJsonSchema({"type": "string"})]
Local = Annotated[Path, BeforeValidator(local), WithJsonSchema({"type": "string"})]
