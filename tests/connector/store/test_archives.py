"""The database knows its archives, of either kind: what is to be forgotten is forgotten in them too."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from connector.store.archive import Archive, Head, covering, register, registered
from connector.store.database import Store
from connector.store.forgetting import forget, forget_person
from policies.model import Directory, Person
from tests.connector.store.samples import a_ticket

DAY = 86400
NOW = 100 * DAY
CLEO = Person(id="31", name="Cleo Hart", address="cleo@initech.example")
SPANS = {"texts": 30 * DAY, "tickets": 365 * DAY, "ledger": 365 * DAY}


def made(folder: Path, name: str, begin: int, end: int, made_at: int = NOW) -> Path:
    """An archive with one ticket, with and without its words."""
    head = Head(made=made_at, begin=begin, end=end, words_until=NOW + DAY, asked=(), packs={})
    ticket = a_ticket("1", requester=CLEO, subject="From Cleo Hart")
    with closing(Archive.create(folder / name, head)) as archive:
        archive.keep_people(Directory(account="acme"))
        archive.keep_page("acme", "changed", [ticket.ref], "", ended=True)
        bare = replace(ticket, subject="", requester=replace(CLEO, name="", address=None))
        archive.keep(ticket.ref, facts=bare, unknown={"targets"}, words=ticket)
        assert archive.untold("acme") == {"targets": 1}
    return folder / name


def test_a_person_and_words_are_forgotten_in_a_registered_archive(store: Store, tmp_path: Path) -> None:
    path = made(tmp_path, "a.sqlite3", 0, DAY)
    register(store, path, NOW)
    register(store, path, NOW)
    assert registered(store) == (path,)
    gone = forget_person(store, "CLEO@initech.example", NOW)
    assert gone.rows == {"archive a.sqlite3": 1}
    assert b"Cleo Hart" not in path.read_bytes()
    with closing(Archive.open(path)) as archive:
        assert [row.ticket().subject for row in archive.rows()] == [f"From {gone.pseudonym}"]
    assert forget(store, NOW + DAY, **SPANS).archives == 1
    with closing(Archive.open(path)) as archive:
        assert [row.ticket().subject for row in archive.rows()] == [""]
    assert forget(store, NOW + 366 * DAY, **SPANS).archives == 1
    assert (registered(store), path.exists()) == ((), False)


def test_the_newest_that_holds_the_days_is_found(store: Store, tmp_path: Path) -> None:
    paths = [
        made(tmp_path, "old.sqlite3", 0, 9 * DAY, NOW - DAY),
        made(tmp_path, "new.sqlite3", 0, 9 * DAY),
        made(tmp_path, "short.sqlite3", 0, DAY, NOW + DAY),
    ]
    for path in paths:
        register(store, path, NOW)
    assert covering(store, DAY, 2 * DAY) == paths[1]
    assert covering(store, 0, DAY) == paths[2]
    assert covering(store, 0, 10 * DAY) is None
