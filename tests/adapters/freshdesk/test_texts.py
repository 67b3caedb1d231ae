"""Text to HTML and back, and the mark inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.freshdesk.ticket import mark, marked, markup, plain, same


@given(st.text(), st.text(min_size=1))
def test_a_text_comes_back_with_its_mark(text: str, key: str) -> None:
    body = f"<div>{marked(text, key)}</div>"
    assert same(plain(body, None), text)
    assert mark(body) == key


@given(st.text())
def test_nothing_in_a_text_is_an_element_or_a_mark(text: str) -> None:
    assert "<" not in markup(text).replace("<br>", "")
    assert mark(markup(text)) is None


@pytest.mark.parametrize(
    "body",
    [
        None,
        5,
        "",
        "no mark",
        "<!-- uptier:zz -->",
        "<!-- uptier:f -->",
        "<!-- uptier:ff -->",
        "<!-- other:61 -->",
    ],
)
def test_what_is_no_mark(body: object) -> None:
    assert mark(body) is None


def test_freshdesks_own_text_wins() -> None:
    assert plain("<div>a</div>", " b ") == "b"
    assert plain("<p>a</p><p>b &amp; c<br/>d</p><!-- x\ny -->", "") == "a\nb & c\nd"
    assert plain(None, None) == ""
    assert same("a b\nc", "ab c")
    assert not same("a", "b")
