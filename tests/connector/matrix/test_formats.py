"""The matrix as text, Markdown, CSV, HTML and SVG: whole, readable, and safe whatever things are called."""

import csv
import io
import re
import unicodedata
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.config.files import names
from connector.matrix.cards import cards_html, cards_markdown, desk_cards
from connector.matrix.picture import as_svg
from connector.matrix.tables import COLUMNS, as_csv, as_html, as_markdown, as_text
from connector.render import cell, markdown, plain
from policies.present.matrix import Matrix, matrix
from tests.connector.matrix.made import NAMES, hostile, hostile_matrix
from tests.connector.packs import packs
from tests.policies.lives import DIRECTORY, LADDER, rules

SVG = "{http://www.w3.org/2000/svg}"
EMPTY = ("meta", "br", "img", "link", "input", "hr")
ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "section", "h1", "h2", "p", "dl", "dt", "dd", "div"),
    *("table", "thead", "tbody", "tr", "th", "td", "ul", "li", "code", "footer"),
}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(str.strip)


class Page(HTMLParser):
    """Reads a page strictly: every tag is one of ours and is closed, and no attribute asks for anything."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.comments: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []
        assert self.comments == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        assert {name for name, _ in attrs} <= {"lang", "charset", "name", "content", "scope", "class"}
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def ladder() -> Matrix:
    """A matrix without surprises."""
    return matrix(rules(LADDER), ("acme",), {"acme": DIRECTORY})


def svg_texts(text: str) -> list[str]:
    """The texts of a drawing that has nothing but shapes and texts in it."""
    root = ElementTree.fromstring(text)  # noqa: S314  our own
    kinds = {"svg", "title", "desc", "style", "rect", "path", "text"}
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= kinds
    assert all(
        not name.startswith("on") and "href" not in name for each in root.iter() for name in each.attrib
    )
    return [each.text or "" for each in root.iter(f"{SVG}text")]


def test_every_format_prints_the_hash_of_the_policies() -> None:
    found = ladder()
    for write in (as_text, as_markdown, as_csv, as_html):
        assert found.hash in write(found)
    assert found.hash in as_svg(found, rules(LADDER))
    assert found.hash in cards_html(tuple(desk_cards(found, rules(LADDER))))


def test_the_text() -> None:
    text = as_text(ladder())
    assert text.startswith(f"Policies {ladder().hash}\n2 levels, 0 gaps.\n\nacme: p\n  mode: enforce\n")
    assert "  * two\n      kind: functional\n      due: after 2 h\n      owner: Duty\n" in text
    assert max(map(len, text.splitlines())) <= 100


def test_the_csv_has_a_line_for_each_level_and_every_column() -> None:
    head, one, two = csv.reader(io.StringIO(as_csv(ladder())))
    assert head == [*(column.title for column in COLUMNS), "Policies"]
    said = dict(zip(head, two, strict=True))
    assert (said["Account"], said["Policy"], said["Level"], said["Owner"]) == ("acme", "p", "two", "Duty")
    assert said["Backup"] == "anybody of the 2 in Duty; Escalations if nobody is found"
    assert len(one) == len(head)


def test_the_markdown_is_a_table_for_each_policy() -> None:
    text = as_markdown(ladder())
    assert "## acme: p\n" in text
    assert "| Level | Kind | Due | Owner | Backup | Goes to | Changes | Message |" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {9}


def test_the_page_holds_every_text_and_asks_no_other_host() -> None:
    page = as_html(ladder())
    texts = " ".join(Page(page).texts)
    for row in ladder().rows:
        assert row.level.name in texts
        assert row.level.time in texts
    assert not re.search(r"https?:|//|url\(|@import|<script|<link", page.replace("<!DOCTYPE html>", ""))
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_a_level_with_a_gap_is_marked() -> None:
    found = hostile_matrix("x")
    drawing = as_svg(found, hostile("x"))
    shapes = ElementTree.fromstring(drawing).iter(f"{SVG}path")  # noqa: S314  our own
    assert sum(each.get("class") == "f-warn s-warn" for each in shapes) == len(found.rows)
    assert as_html(found).count('class="gap"') == len(found.rows)


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_hostile_name_is_only_a_name(name: str) -> None:
    judge_all(name)


@settings(max_examples=40, deadline=None)
@given(TEXTS)
def test_any_name_is_only_a_name(name: str) -> None:
    judge_all(name)


def judge_all(name: str) -> None:
    """Every format with this name everywhere."""
    found = hostile_matrix(name)
    assert plain(name) in " ".join(Page(as_html(found)).texts)
    deck = tuple(desk_cards(found, hostile(name)))
    Page(cards_html(deck))
    drawing = as_svg(found, hostile(name))
    svg_texts(drawing)
    for line in csv.reader(io.StringIO(as_csv(found))):
        assert not any(each and each[0] in "=+-@\t\r\n＝＋－＠" for each in line)
    for text in (as_markdown(found), cards_markdown(deck)):
        judge_markdown(text)
    for text in (as_text(found), as_markdown(found), as_csv(found), as_html(found), drawing):
        controls = {each for each in text if unicodedata.category(each) == "Cc"}
        assert controls <= {"\n", "\r"}


def judge_markdown(text: str) -> None:
    """Nothing but our own structure: no HTML but line breaks, no links, whole tables, no heading out of a name."""
    assert set(re.findall(r"<[^>]*>?", text)) <= {"<br>"}
    assert not re.search(r"(?<!\\)\]\(", text)
    widths = [
        len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in text.splitlines() if line.startswith("|")
    ]
    assert widths
    for block in re.split(r"\n\n+", text):
        table = [line for line in block.splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in table}) <= 1, block
    assert all(line.startswith(("#", "|", "-", "Policies ", "Groups and people")) or "level" in line
               for line in text.splitlines() if line)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("=1+1", "'=1+1"),
        ("  @x", "'@x"),
        ("\t+1", "'+1"),
        ("－1", "'－1"),
        ("a=1", "a=1"),
        ("after 1 h", "after 1 h"),
        ("'=1", "'=1"),
        ("", ""),
    ],
)
def test_a_cell_is_no_formula(text: str, kept: str) -> None:
    assert cell(text) == kept


def test_what_cannot_be_seen_is_left_out_and_scripts_are_kept_whole() -> None:
    assert plain("a\x00b\u202ec\n d") == "a b c d"
    assert plain("👩\u200d👧") == "👩\u200d👧"
    assert markdown("a|b <c> `d` [e](f)") == "a\\|b &lt;c&gt; \\`d\\` \\[e\\](f)"


@pytest.mark.parametrize("name", names())
def test_every_starter_pack_is_printed(name: str) -> None:
    found = matrix(packs(name), ("acme",), {"acme": DIRECTORY}, ("en", "de"))
    assert found.rows
    assert not {gap.code for row in found.rows for gap in row.gaps} & {"missing-locale", "nobody-at-night"}
    Page(as_html(found))
    assert svg_texts(as_svg(found, packs(name)))
    assert len(list(csv.reader(io.StringIO(as_csv(found))))) == len(found.rows) + 1
    assert "_of(" not in as_text(found)
    judge_markdown(as_markdown(found))


def test_an_empty_matrix_says_so() -> None:
    nowhere = rules(LADDER.replace('"p"', '"p"\naccounts = ["other"]'))
    found = matrix(nowhere, ("acme",), {})
    for text in (as_text(found), as_markdown(found), as_html(found), as_svg(found, nowhere)):
        assert "No policy is for these tickets." in text
    assert len(as_csv(found).splitlines()) == 1
