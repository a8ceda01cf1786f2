"""From a request's method, host and target to its route: compiled once for each generation.

A tree of dicts by segment, a literal before a variable: the time of a match does not depend on the number of routes.
A template that takes what lies below it (``/**``) is asked last, and of several the deepest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic, TypeVar
from urllib.parse import unquote_to_bytes

from filters.model.remembered import Remembered
from gateway.http.wire.errors import HTTPError
from gateway.http.wire.lookalikes import bare, readings
from gateway.http.wire.path import Template, clean_segment, normalise, shadow, unsure

Route = TypeVar("Route")

READING: Final = frozenset((b"GET", b"HEAD", b"OPTIONS"))
"""Methods by which nothing is written (RFC 9110 section 9.2.1). TRACE and CONNECT never come here."""

MOST_SEGMENTS: Final = 128
"""Segments of a path that is written to, unmatched, and read in every way: each is work, and no address has so many."""
REMEMBERED: Final = 4096
"""Targets whose route a router remembers; beyond, they are forgotten and found anew."""
LONGEST: Final = 256
"""Bytes of a target that is remembered."""


class Found(Generic[Route]):
    """``route`` is None for what no route matches. ``path``: normalised. ``query``: without its question mark, as sent.
    ``values``: the segments that stand for the template's variables, in normal form. ``depth``: how many segments, the
    empty first one included, a template has that took what lies below it; 0 where it names the whole path.

    Shared by all requests for one target: nothing of it is changed.
    """

    __slots__ = ("_parameters", "depth", "names", "path", "query", "route", "values")

    def __init__(
        self,
        route: Route | None,
        path: bytes,
        query: bytes,
        values: tuple[bytes, ...] = (),
        names: tuple[str, ...] = (),
        depth: int = 0,
    ) -> None:
        self.route = route
        self.depth = depth
        self.path = path
        self.query = query
        self.values = values
        self.names = names
        self._parameters: dict[str, str] | None = None

    def parameters(self) -> dict[str, str]:
        """The template's variables, decoded. Raises ``HTTPError`` where one is not UTF-8."""
        told = self._parameters
        if told is None:
            try:
                told = {
                    name: unquote_to_bytes(value).decode() for name, value in zip(self.names, self.values, strict=True)
                }
            except UnicodeDecodeError:
                raise HTTPError("path.encoding") from None
            self._parameters = told
        return told


class _Leaf(Generic[Route]):
    __slots__ = ("names", "route")

    def __init__(self, route: Route, names: tuple[str, ...]) -> None:
        self.route = route
        self.names = names


class _Node(dict[bytes, "_Node[Route]"], Generic[Route]):
    """Children by literal segment, the child for any other segment, and what stands here; ``below``: here and at
    whatever lies below. ``prefixed``, of a root: somewhere in the tree there is such a one."""

    __slots__ = ("below", "leaf", "prefixed", "variable")

    def __init__(self) -> None:
        super().__init__()
        self.leaf: _Leaf[Route] | None = None
        self.below: _Leaf[Route] | None = None
        self.variable: _Node[Route] | None = None
        self.prefixed = False

    def stand(self, segments: Sequence[bytes | None], leaf: _Leaf[Route], below: bool) -> None:
        """Have ``leaf`` stand at these segments, of the tree of which this is the root."""
        node = self.grow(segments)
        if below:
            node.below = leaf
            self.prefixed = True
        else:
            node.leaf = leaf

    def grow(self, segments: Sequence[bytes | None]) -> _Node[Route]:
        node = self
        for segment in (b"", *segments):
            if segment is not None:
                node = node.setdefault(segment, _Node())
            else:
                if node.variable is None:  # an empty node is an empty dict, and false
                    node.variable = _Node()
                node = node.variable
        return node

    def search(
        self, segments: list[bytes], exact: bool, at: int = 0, taken: tuple[bytes, ...] = ()
    ) -> tuple[_Leaf[Route], tuple[bytes, ...]] | None:
        """Try every way, literals first; the deepest template bounds the depth. ``exact``: variables are checked."""
        if at == len(segments):
            return None if self.leaf is None else (self.leaf, taken)
        segment = segments[at]
        child = self.get(segment)
        if child is not None:
            found = child.search(segments, exact, at + 1, taken)
            if found is not None:
                return found
        if self.variable is not None and (clean_segment(segment) if exact else segment):
            return self.variable.search(segments, exact, at + 1, (*taken, segment))
        return None

    def deepest(
        self, segments: list[bytes], exact: bool, clean: int, at: int = 0, taken: tuple[bytes, ...] = ()
    ) -> tuple[int, _Leaf[Route], tuple[bytes, ...]] | None:
        """The deepest template that takes what lies below it, with how many segments it has. ``clean``: with ``exact``,
        from which segment on all are in normal form; what lies below is."""
        found = None
        if self.below is not None and at >= clean:
            found = at, self.below, taken
        if at == len(segments):
            return found
        segment = segments[at]
        child = self.get(segment)
        if child is not None:
            deeper = child.deepest(segments, exact, clean, at + 1, taken)
            if deeper is not None:
                found = deeper
        if self.variable is not None and (clean_segment(segment) if exact else segment):
            deeper = self.variable.deepest(segments, exact, clean, at + 1, (*taken, segment))
            if deeper is not None and (found is None or deeper[0] > found[0]):
                found = deeper
        return found

    def takes(self, segments: list[bytes]) -> bool:
        """Whether a template means these segments, in some spelling."""
        if self.search(segments, exact=False) is not None:
            return True
        return self.prefixed and self.deepest(segments, exact=False, clean=0) is not None

    def reach(self, segments: list[bytes], at: int = 0) -> int:
        """How many segments the deepest template has that stands here for these, or for the first ones of them."""
        deepest = at if self.leaf is not None else -1
        if at < len(segments):
            segment = segments[at]
            child = self.get(segment)
            if child is not None:
                deepest = max(deepest, child.reach(segments, at + 1))
            if self.variable is not None and segment:
                deepest = max(deepest, self.variable.reach(segments, at + 1))
        return deepest

    def reaches(self, segments: list[bytes], at: int = 0) -> bool:
        """Whether a template stands here for these segments, or for the first ones of them."""
        if self.leaf is not None:
            return True
        if at == len(segments):
            return False
        segment = segments[at]
        child = self.get(segment)
        if child is not None and child.reaches(segments, at + 1):
            return True
        return self.variable is not None and segment != b"" and self.variable.reaches(segments, at + 1)


class _Trees(Generic[Route]):
    """The routes of one host, or of any, by method: as written, and in lower case without a last slash.

    ``alike``: the guarded ones by method, as ``lookalikes`` reads paths. ``sealed``: whatever the method, the addresses
    at and below which nothing is written that no route names; ``sealed_exact`` the same as written.
    """

    __slots__ = ("alike", "exact", "lower", "sealed", "sealed_exact")

    def __init__(self) -> None:
        self.exact: dict[bytes, _Node[Route]] = {}
        self.lower: dict[bytes, _Node[Route]] = {}
        self.alike: dict[bytes, _Node[Route]] = {}
        self.sealed: _Node[Route] = _Node()
        self.sealed_exact: _Node[Route] = _Node()

    def guard(self, template: Template, route: Route, sealed: bool) -> None:
        """Keep the spellings of a guarded route's address from going on unjudged."""
        leaf = _Leaf(route, template.names)
        segments = template.segments[:-1] if template.segments[-1:] == (b"",) else template.segments
        below = template.below
        if not segments and not below:  # all of the site lies below it: only itself is meant
            for method in template.methods:
                self.alike.setdefault(method, _Node()).grow(segments).leaf = leaf
            if sealed:
                self.sealed_exact.grow(template.segments).leaf = leaf
            return
        lowered = [segment and segment.lower() for segment in segments]
        # A variable has no suffix of its own: whatever it stands for is its value.
        stripped = bare([segment or b"" for segment in lowered])
        spellings = [lowered, [segment and other for segment, other in zip(lowered, stripped, strict=True)]]
        for spelling in spellings:
            for method in template.methods:
                self.alike.setdefault(method, _Node()).stand(spelling, leaf, below)
            if sealed:
                self.sealed.grow(spelling).leaf = leaf
        if sealed:
            self.sealed_exact.grow(segments).leaf = leaf

    def add(self, template: Template, route: Route, *, again: bool = False) -> None:
        """``again``: another route may stand there already."""
        leaf = _Leaf(route, template.names)
        lowered = [segment and segment.lower() for segment in template.segments]
        if lowered[-1:] == [b""] and len(lowered) > 1:
            del lowered[-1]
        below = template.below
        for method in template.methods:
            root = self.exact.setdefault(method, _Node())
            node = root.grow(template.segments)
            if (node.below if below else node.leaf) is not None and not again:
                raise ValueError("matches the same requests as another route: change or remove one of the two")
            root.stand(template.segments, leaf, below)
            self.lower.setdefault(method, _Node()).stand(lowered, leaf, below)


class Router(Generic[Route]):
    """Immutable once built (law 9), but for what it remembers: the same few rooms are written to again and again.

    A request chooses its Host, and an upstream may take one that it does not know for its first site. So what a
    ``guarded`` route matches under its own host is refused under a host that no route names (RFC 9110, section
    15.5.20), unless a guarded route for any host takes it.

    What is written, by any method but those of ``READING``, to the address of a ``sealed`` route or below it, and
    matches no route, is refused as well: 403 (section 15.5.4) and not 405, because the gateway does not know which
    methods the platform takes there, and would have to list them. So is what only looks unlike it.

    A route that takes what lies below it, and whose messages are not ``judged``, takes nothing of that.

    Raises ValueError where two templates match the same requests.

    ``rewritable``: methods of guarded routes that a POST may stand for, by a field of its body.
    """

    __slots__ = ("_any_host", "_elsewhere", "_guarded", "_hosts", "_judged", "_prefixes", "_remembered", "rewritable")

    def __init__(
        self,
        routes: Iterable[tuple[Template, Route]],
        guarded: Callable[[Route], bool] = lambda _: True,
        sealed: Callable[[Route], bool] = lambda _: True,
        judged: Callable[[Route], bool] | None = None,
    ) -> None:
        self._any_host: _Trees[Route] = _Trees()
        self._elsewhere: _Trees[Route] = _Trees()  # the guarded routes of all named hosts together
        self._hosts: dict[bytes, _Trees[Route]] = {}
        self._guarded = guarded
        self._judged = judged or guarded
        prefixes: set[bytes] = set()
        rewritable: set[bytes] = set()
        for template, route in routes:
            trees = self._hosts.setdefault(template.host, _Trees()) if template.host else self._any_host
            trees.add(template, route)
            if guarded(route):
                rewritable.update(template.methods)
                trees.guard(template, route, sealed(route))
                if template.host:
                    self._elsewhere.add(template, route, again=True)
                    self._elsewhere.guard(template, route, sealed(route))
            prefixes.add(template.prefix.lower())
        self._prefixes = tuple(prefixes)
        self.rewritable = tuple(sorted(rewritable - READING - {b"POST"}))
        self._remembered: Remembered[tuple[bytes, bytes, bytes], Found[Route]] = Remembered(REMEMBERED)

    def find(self, method: bytes, host: bytes, target: bytes) -> Found[Route]:
        """The route of a request. Raises ``HTTPError`` for a path or a host that only looks unlike a routed one."""
        asked = method, host, target
        found = self._remembered.known.get(asked)
        if found is None:
            found = self._find(method, host, target)
            # A query may hold a secret, and seldom comes twice.
            if found.route is not None and not found.query and len(target) <= LONGEST:
                self._remembered.put(asked, found)
        return found

    def _find(self, method: bytes, host: bytes, target: bytes) -> Found[Route]:
        path, _, query = target.partition(b"?")
        found: Found[Route] | None = None
        elsewhere: _Node[Route] | None = None
        if self._hosts:
            trees = self._hosts.get(plain_host(host))
            if trees is None:
                elsewhere = self._elsewhere.exact.get(method)
            else:
                root = trees.exact.get(method)
                found = _walk(root, path, query) if root is not None else None
                if found is not None:
                    return self._plain(found, trees, method)
        root = self._any_host.exact.get(method)
        if root is not None:
            found = _walk(root, path, query)
        if elsewhere is not None and not self._taken(found) and _walk(elsewhere, path, query) is not None:
            raise HTTPError("route.host")
        if found is not None:
            return self._plain(found, self._any_host, method)
        return self._unmatched(method, host, path, query)

    def _plain(self, found: Found[Route], trees: _Trees[Route], method: bytes) -> Found[Route]:
        """``found``, unless a variable of an unguarded route stands for what makes the path look like a guarded one."""
        route = found.route
        if found.depth and method not in READING and route is not None and not self._judged(route):
            self._check_below(found, trees, method)
        elif found.values and method not in READING and not self._taken(found):
            alike = trees.alike.get(method)
            if alike is not None:
                for reading in readings(found.path, found.query):
                    if alike.takes([b"", *reading]):
                        raise HTTPError("path.lookalike")
        return found

    def _check_below(self, found: Found[Route], trees: _Trees[Route], method: bytes) -> None:
        """What a route that judges nothing takes because it lies below its address is named by nobody. So a sealed
        address that is not above that of the route is one still, with what lies below it, and so is what only looks
        unlike it."""
        segments = found.path.split(b"/")
        if len(segments) > MOST_SEGMENTS:
            raise HTTPError("path.lookalike")
        both = (trees,) if trees is self._any_host else (trees, self._any_host)
        if any(each.sealed_exact.reach(segments) > found.depth for each in both):
            raise HTTPError("route.unjudged")
        several = readings(found.path, found.query)
        plain = len(several[0])
        for reading in several:
            read = [b"", *reading]
            depth = found.depth - max(0, plain - len(reading))  # what is read without the first segments
            for each in both:
                alike = each.alike.get(method)
                if each.sealed.reach(read) > depth or (alike is not None and self._alike(alike, read, depth)):
                    raise HTTPError("path.lookalike")

    @staticmethod
    def _alike(root: _Node[Route], read: list[bytes], depth: int) -> bool:
        if root.search(read, exact=False) is not None:
            return True
        deepest = root.deepest(read, exact=False, clean=0) if root.prefixed else None
        return deepest is not None and deepest[0] > depth

    def _taken(self, found: Found[Route] | None) -> bool:
        return found is not None and found.route is not None and self._guarded(found.route)

    def _unmatched(self, method: bytes, host: bytes, path: bytes, query: bytes) -> Found[Route]:
        if path == b"*" or not self._prefixes:
            return Found(None, normalise(path).path if path != b"*" else path, query)
        normal, flaw = normalise(path)
        if normal != path and not flaw:  # the digits of an escape, no more: still the same path
            return self._find(method, host, normal + b"?" + query if query else normal)
        shade = shadow(path)
        if flaw:
            # It goes on as it came: by whichever of the two the upstream reads it.
            shapes = shade + b"/", normal.lower() + b"/"
            if any(shape.startswith(self._prefixes) for shape in shapes) or (method not in READING and unsure(path)):
                raise HTTPError(flaw)
        segments = shade.split(b"/")
        both = self._hosts.get(plain_host(host), self._elsewhere), self._any_host
        for trees in both:
            root = trees.lower.get(method)
            if root is not None and root.takes(segments):
                raise HTTPError("path.lookalike")
        if method not in READING:
            if len(segments) > MOST_SEGMENTS:
                raise HTTPError("path.lookalike")
            for own in {normal, path}:
                if any(trees.sealed_exact.reaches(own.split(b"/")) for trees in both):
                    raise HTTPError("route.unjudged")
            for reading in readings(normal, query) + (readings(path, query) if normal != path else []):
                read = [b"", *reading]
                for trees in both:
                    alike = trees.alike.get(method)
                    if trees.sealed.reaches(read) or (alike is not None and alike.takes(read)):
                        raise HTTPError("path.lookalike")
        return Found(None, normal, query)


def _walk(root: _Node[Route], path: bytes, query: bytes) -> Found[Route] | None:
    node = root
    values: list[bytes] = []
    segments = path.split(b"/")
    for segment in segments:
        child = node.get(segment)
        if child is None:
            child = node.variable
            if child is None or not (segment.isalnum() or clean_segment(segment)):
                break
            values.append(segment)
        node = child
    else:
        leaf = node.leaf
        if leaf is not None:
            return Found(leaf.route, path, query, tuple(values), leaf.names)
    # The greedy walk fails where nothing matches, and where a literal hides a variable.
    searched = root.search(segments, exact=True)
    if searched is not None:
        return Found(searched[0].route, path, query, searched[1], searched[0].names)
    if not root.prefixed:
        return None
    clean = len(segments)
    while clean and (clean_segment(segments[clean - 1]) or (clean == len(segments) and not segments[clean - 1])):
        clean -= 1
    deepest = root.deepest(segments, exact=True, clean=clean)
    if deepest is None:
        return None
    depth, leaf, taken = deepest
    return Found(leaf.route, path, query, taken, leaf.names, depth)


def plain_host(host: bytes) -> bytes:
    """A Host field's name: lower case, without port and without the root's dot."""
    name = host.lower()
    if name[-1:] != b"]":
        head, colon, port = name.rpartition(b":")
        if colon and (port.isdigit() or not port):
            name = head
    return name.rstrip(b".")
