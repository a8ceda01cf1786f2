"""What people switch on: frozen routes and rooms, urgent words; undone by the next snapshot."""

from collections.abc import Sequence

from filters.lists.wordlist import of_words
from filters.model.message import Message
from filters.model.verdict import Scan
from filters.reading.keywords import Scanner
from gateway.judging import overlay
from gateway.state.model.snapshot import SnapshotRows, SwitchRow, UrgentRow
from gateway.words.files import folding_tables

MESSAGE = Message("id", "comment", "comments", "7", "alice", ("网.上-赌★博 now",), 0)


def prints() -> Scanner:
    return Scanner([], fingerprint=True, tables=folding_tables())


def scanner(words: Sequence[str]) -> Scanner:
    return Scanner([of_words(words, folding_tables())])


def test_nothing_switched_on_is_no_overlay_at_all() -> None:
    assert overlay.build(SnapshotRows(4), scanner, prints) is None


def test_frozen_rooms_and_routes() -> None:
    built = overlay.build(
        SnapshotRows(
            4,
            switches=(
                SwitchRow(1, "freeze", "room", "7", "incident 12"),
                SwitchRow(2, "freeze", "route", "other", "incident 13"),
                SwitchRow(3, "slow", "room", "7", "a kind that only a newer control knows"),
            ),
        ),
        scanner,
        prints,
    )
    assert built is not None
    (act,) = built.acts(MESSAGE, Scan())
    assert (act.finding.reason, act.effect, act.rule.ground) == ("switch.frozen", "reject", "incident 12")
    assert built.acts(MESSAGE._replace(room="8"), Scan()) == ()
    assert [act.rule.ground for act in built.acts(MESSAGE._replace(room="8", route="other"), Scan())] == ["incident 13"]


def test_urgent_words_are_folded_like_all_others_and_name_their_ground() -> None:
    words = (UrgentRow(1, "别的", "a"), UrgentRow(2, "网上赌博", "order 9"))
    built = overlay.build(SnapshotRows(5, urgent=words), scanner, prints)
    assert built is not None
    (act,) = built.acts(MESSAGE, Scan())
    assert (act.finding.reason, act.rule.ground) == ("keyword.urgent", "order 9")
    assert act.finding.hit is not None
    assert act.finding.hit.spans == ((0, 7),)
    assert built.acts(MESSAGE._replace(texts=("harmless",)), Scan()) == ()
