"""``when``: which of the messages of one address is meant, by what stands in it.

A table of sources and tests, all of which must hold:

    { "json:/event" = "COMMENT_SUBMIT" }                  the value, of the same type: 1 is not "1", and true is not 1
    { "json:/event" = ["A", "B"] }                        one of them
    { "form:action" = { prefix = "comment_" } }           a text that begins so
    { "json:/query" = { sha256 = ["9f86…"] } }            a text whose SHA-256, in small hex digits, is one of these
    { "json:/parent" = { present = true } }               there and not null; or absent = true, null = true
    { "json:" = { array = true } }                        the body or frame is an array; of another place, that one
    { any = [{ … }, { … }], not = { … }, all = [{ … }] }  tables within

A source that the platform could read elsewhere, or twice, is refused as a text would be (``Ambiguity``): what decides
here must be what decides there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from gateway.surfaces.input.pointer import MISSING
from gateway.surfaces.input.reading import ParsedRequest
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.settings import SurfaceError
from gateway.surfaces.sources import sources

Holds = Callable[[ParsedRequest], bool]
When = Mapping[str, Any]

KINDS: Final = ("json", "whole", "form", "query", "header", "path")
_OF_JSON: Final = ("json", "whole")
TESTS: Final = ("prefix", "sha256", "present", "absent", "null", "array")
WHOLE: Final = "json:"
"""The whole body or frame, of which a condition may ask whether it is an array, and nothing else."""
DEEPEST: Final = 8
EXACT: Final = 2**53 - 1
_TABLES: Final = ("any", "all")
_DIGEST: Final = frozenset("0123456789abcdef")


def check(when: Any, depth: int = 0) -> None:
    """Raises ``ValueError``, with the remedy, for what is no condition."""
    if not isinstance(when, Mapping):
        raise ValueError('is no condition: write a table, such as { "json:/type" = "comment" }')
    if not when:
        raise ValueError("holds always: leave it out")
    if depth > DEEPEST:
        raise ValueError(f"is nested deeper than {DEEPEST}")
    for key, test in when.items():
        if key in _TABLES:
            if not isinstance(test, Sequence) or isinstance(test, str) or not test:
                raise ValueError(f"has “{key}” without tables: write {key} = [{{ … }}, {{ … }}]")
            for one in test:
                check(one, depth + 1)
        elif key == "not":
            check(test, depth + 1)
        elif sources.kind(key) not in KINDS or ":" not in key:
            raise ValueError(f"reads “{key}”: write one of {', '.join(f'{kind}:' for kind in KINDS)}, any, all or not")
        else:
            _check_test(key, test)


def read_by(when: When) -> Iterator[str]:
    """The sources that a condition reads."""
    for key, test in when.items():
        if key in _TABLES:
            for one in test:
                yield from read_by(one)
        elif key == "not":
            yield from read_by(test)
        else:
            yield key


def compiled(when: When) -> Holds:
    """The condition as a function of what was read; ``Refused`` where a value cannot be told (``sources``)."""
    try:
        check(when)
    except ValueError as error:
        raise SurfaceError(f"when {error}") from None
    return _all([_one(key, test) for key, test in when.items()])


def _one(key: str, test: Any) -> Holds:
    if key == "any":
        several = [compiled(one) for one in test]
        return lambda reading: any(holds(reading) for holds in several)
    if key == "all":
        return _all([compiled(one) for one in test])
    if key == "not":
        holds = compiled(test)
        return lambda reading: not holds(reading)
    decides = _test(test)
    if key == WHOLE:
        return lambda reading: decides(reading.document)
    read = sources.compiled(key, "when")
    return lambda reading: decides(read(reading))


def _all(several: list[Holds]) -> Holds:
    if len(several) == 1:
        return several[0]
    return lambda reading: all(holds(reading) for holds in several)


def _test(test: Any) -> Callable[[Any], bool]:
    if isinstance(test, Mapping):
        return _all_tests([_named(name, wanted) for name, wanted in test.items()])
    wanted = frozenset((_type(one), one) for one in _listed(test))
    if any(type(one) is not str for one in _listed(test)):
        return lambda value: isinstance(value, str | int | float) and (_type(value), _exact(value)) in wanted
    return lambda value: type(value) is str and (str, value) in wanted


def _all_tests(several: list[Callable[[Any], bool]]) -> Callable[[Any], bool]:
    return lambda value: all(decides(value) for decides in several)


def _named(name: str, wanted: Any) -> Callable[[Any], bool]:
    if name == "prefix":
        prefixes = tuple(_listed(wanted))
        return lambda value: isinstance(value, str) and value.startswith(prefixes)
    if name == "sha256":
        digests = frozenset(_listed(wanted))
        return lambda value: isinstance(value, str) and _digest(value) in digests
    if name == "present":
        return lambda value: value is not MISSING and value is not None
    if name == "absent":
        return lambda value: value is MISSING
    if name == "array":
        return lambda value: type(value) is list
    return lambda value: value is None


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _exact(value: Any) -> Any:
    """A number as every reader has it (RFC 8259, section 6): beyond 2^53, some make the next one of it."""
    if isinstance(value, int | float) and not -EXACT <= value <= EXACT:
        raise Refused("body.number")
    return value


def _type(value: Any) -> type:
    return float if type(value) is int else type(value)


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)


def _check_test(key: str, test: Any) -> None:
    if key == WHOLE and not (isinstance(test, Mapping) and set(test) == {"array"}):
        raise ValueError('asks “json:”, the whole of it, for more than an array: write { "json:" = { array = true } }')
    if isinstance(test, Mapping):
        if not test:
            raise ValueError(f"tests nothing of “{key}”")
        for name, wanted in test.items():
            if name not in TESTS:
                raise ValueError(f"has the test “{name}” for “{key}”: known are {', '.join(TESTS)}")
            if name in ("present", "absent", "null", "array") and wanted is not True:
                raise ValueError(f"has “{name}” for “{key}”: write {name} = true, or put it into not")
            if name in ("null", "array") and sources.kind(key) not in _OF_JSON:
                raise ValueError(f"has “{name}” for “{key}”: only JSON has it")
            texts = _listed(wanted)
            if name in ("prefix", "sha256") and not (texts and all(isinstance(one, str) and one for one in texts)):
                raise ValueError(f"has “{name}” for “{key}” without a text")
            if name == "sha256" and not all(len(one) == 64 and _DIGEST.issuperset(one) for one in texts):
                raise ValueError(f"has “sha256” for “{key}”: write 64 small hex digits each")
        return
    values = _listed(test)
    if not values:
        raise ValueError(f"lists no value for “{key}”")
    for value in values:
        if not isinstance(value, str | int | float):
            raise ValueError(f"compares “{key}” with what is no text, number or switch")
        if isinstance(value, int | float) and not -EXACT <= value <= EXACT:
            raise ValueError(
                f"compares “{key}” with a number beyond 2^53, which readers round: tell it by another value"
            )
        if not isinstance(value, str) and sources.kind(key) not in _OF_JSON:
            raise ValueError(f"compares “{key}” with {value!r}: what stands there is text, write it in quotes")
