"""The pages in the reader's language: everything that people read is a message, and German has words for each."""

import re
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from connector.console.frame import PAGES
from connector.console.language import Place, accepted, languages, speaks
from connector.console.language import catalogue as language_of
from connector.store import users
from policies.model import TRANSLATE
from tests.connector.console import catalogue
from tests.connector.console.conftest import Shown, csrf


def test_german_has_words_for_every_message() -> None:
    kept = catalogue.read("de")
    assert [
        text for text, _ in catalogue.messages() if not (found := kept.get(text)) or not found.string
    ] == []
    assert sorted({text for text, _ in catalogue.messages()}) == sorted(each.id for each in kept if each.id)
    for each in kept:
        for values in (lambda text: re.findall(r"%\(\w+\)s|%%", text), places):
            assert sorted(values(each.string)) == sorted(values(each.id)), each.id
        assert not each.fuzzy or not each.id


def places(text: str) -> list[str]:
    """The `{places}` of a message that has them."""
    return [name for _, name, _, _ in Formatter().parse(text) if name]


@pytest.mark.parametrize("language", ["de"])
def test_what_programs_read_is_what_people_wrote(language: str) -> None:
    folder = catalogue.LOCALE / language / "LC_MESSAGES"
    with (folder / "uptier.po").open("rb") as file:
        assert (folder / "uptier.mo").read_bytes() == catalogue.compiled(
            read_po(file, locale=language, domain="uptier")
        )


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr-FR,en;q=0.3,de;q=0.7", "de"),
        ("en-GB,de;q=0.9", "en"),
        ("de;q=0", "en"),
        ("de;q=much,*", "en"),
        (",;,", "en"),
    ],
)
def test_the_browser_says_which_language(header: str, language: str) -> None:
    assert accepted(header) == language


def test_words_are_told_from_tags_also_where_values_stand_between_them() -> None:
    place = Place()
    pieces = [
        piece
        for text in (
            '<p class="quiet">as of ',
            '</p><td data-title="Who" id="',
            '"',
            ">me<code>uptier run</code> here",
        )
        for piece in place.pieces(text)
    ]
    assert [text for text, read in pieces if read and text] == ["as of ", "Who", "me", " here"]
    assert (
        PAGES.from_string("<b>Owner <i title='Show'>100 %</i></b>").render()
        == "<b>Owner <i title='Show'>100 %</i></b>"
    )


def test_a_constant_is_told_in_the_language_of_each_reader_and_compares_as_it_was_written() -> None:
    source = (
        "{% set states = {'held': 'Needs a human'} %}{{ states['held'] ~ ', ' ~ x }}"
        "{{ '' if states.held == 'Needs a human' else 'another' }}"
    )
    for language, told in (("en", "Needs a human, &lt;"), ("de", "Braucht einen Menschen, &lt;")):
        token = TRANSLATE.set(language_of(language).gettext)
        try:
            assert PAGES.from_string(source).render(x="<") == told
        finally:
            TRANSLATE.reset(token)
    assert [speaks(text) for text in ("Overdue", "none yet", " tickets", "vip", "/now?state=a b", "POST")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip


def test_pages_speak_the_readers_language(shown: Shown) -> None:
    german = {"Accept-Language": "de-DE,de;q=0.9"}
    with shown.client(headers=german) as stranger:
        login = stranger.get("/login").text
        assert '<html lang="de"' in login
        assert "Passwort" in login
        assert "Ein Token" not in login
        refused = stranger.post("/login", data={"name": "x", "password": "y"}).text
        assert "Name und Passwort passen nicht." in refused
    with shown.logged_in("dana", "operator") as client:
        assert "Nothing is due" in client.get("/due?policy=another").text
        client.headers.update(german)
        front = client.get("/").text
        assert "Überblick" in front
        assert "Niemand zuständig" in front
        assert "Nichts ist fällig" in client.get("/due?policy=another").text
        ledger = client.get("/ledger").text
        assert "ausgelöst" in ledger
        assert "Kunde wartet seit" in ledger  # kept as values, and said in whatever language is read
        assert "wartet auf Stufe „Duty managers“" in client.get("/tickets/acme/1").text
        assert "in 1h" in client.get("/due").text
        kept = [line.text for line in shown.here.lines() if line.what == "fired"]
        assert all("Kunde" not in text for text in kept)
        assert languages() == {"en": "English", "de": "Deutsch"}
        word = csrf(client, "/settings")
        assert client.post("/settings", data={"csrf": word, "language": "tlh"}).status_code == 400
        assert client.post("/settings", data={"csrf": word, "language": "en"}).status_code == 303
        assert (
            '<html lang="en"' in client.get("/due").text
        )  # what somebody chose goes before what the browser says
        with shown.store.reading() as connection:
            user = users.get(connection, "dana")
        assert user is not None
        assert user.language == "en"
