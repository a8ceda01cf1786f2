"""What a web server of another user may open: open rooms whole, guarded ones not at all."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from gateway.mirror.pages.pages import Pages
from gateway.mirror.store.guarding import CLOSED, OPEN, UNGUARDED, Guarding, asked
from gateway.mirror.upkeep.rebuild import rebuild

LIVE = Guarding(frozenset({"live"}), frozenset({"live", "other"}))
OTHER = Guarding(frozenset({"other"}), frozenset({"live", "other"}))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("through", "guards", "known", "who"),
    [
        ({"live"}, {"live"}, {"live"}, {"live"}),
        ({"live"}, {"other"}, {"live", "other"}, set()),
        ({"live", "other"}, {"other"}, {"live", "other"}, {"other"}),
        (set(), {"live"}, {"live"}, {"live"}),  # nobody knows yet
        ({"renamed"}, {"live", "other"}, {"live", "other"}, {"live", "other"}),
        ({"renamed"}, set(), {"live"}, set()),
    ],
)
def test_who_is_asked(through: set[str], guards: set[str], known: set[str], who: set[str]) -> None:
    assert asked(through, frozenset(guards), frozenset(known)) == who
    assert Guarding(frozenset(guards), frozenset(known)).mode(through) == (CLOSED if who else OPEN)


def test_an_open_room_is_readable_and_what_is_ours_alone_is_not(node: Any, mirror: Any) -> None:
    node.bullets(12)
    mirror.turns()
    folder = mirror.root / "r1"
    assert mode(mirror.root) == mode(folder) == OPEN
    public = {path.name for path in folder.iterdir() if mode(path) & stat.S_IROTH and not path.is_symlink()}
    assert public == {"1.html", "1.html.gz", "1.html.br", "1.json", "1.json.gz", "1.json.br", "2.html"}
    assert {path.name for path in folder.iterdir() if path.name.startswith(".")} >= {".routes", ".index"}
    assert mode(mirror.root / ".projector") == CLOSED


def test_a_guarded_room_is_closed_from_the_first(node: Any, mirror: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror.guarding = LIVE
    made: list[int] = []
    plain = Path.mkdir

    def mkdir(self: Path, mode: int = 0o777, **more: Any) -> None:
        plain(self, mode, **more)
        if self.name == "r1":
            made.append(stat.S_IMODE(self.stat().st_mode))

    monkeypatch.setattr(Path, "mkdir", mkdir)
    node.bullets(3)
    mirror.turn()
    assert made == [CLOSED]
    assert mode(mirror.root / "r1") == CLOSED


def test_a_room_is_closed_once_a_guarded_route_feeds_it(node: Any, mirror: Any) -> None:
    mirror.guarding = OTHER
    node.bullets(3)
    mirror.turn()
    assert mode(mirror.root / "r1") == OPEN
    node.bullet("from behind the door", basis=node.other)
    mirror.turn()
    assert mode(mirror.root / "r1") == CLOSED


def test_a_reload_closes_and_opens(node: Any, mirror: Any) -> None:
    node.bullets(3)
    node.bullets(3, "r2")
    mirror.turn()
    (mirror.root / "r2" / ".routes").write_text("damaged")
    for guarding, expected in ((LIVE, (CLOSED, CLOSED)), (OTHER, (OPEN, CLOSED)), (UNGUARDED, (OPEN, OPEN))):
        mirror.die()
        mirror.guarding = guarding
        assert mirror.life
        assert (mode(mirror.root / "r1"), mode(mirror.root / "r2")) == expected


def test_a_rebuilt_mirror_is_closed_where_the_old_one_was(node: Any, mirror: Any) -> None:
    node.bullets(30)
    node.bullets(3, "r2", basis=node.other)
    mirror.turns()
    made = rebuild(
        mirror.root, node.root, "node-0/254", pages=Pages("en", "/mirror/"), guarding=LIVE, on_flaw=lambda flaw: None
    )
    assert (mode(made / "r1"), mode(made / "r2")) == (CLOSED, OPEN)
    assert (made / "r1" / "1.json").exists()
