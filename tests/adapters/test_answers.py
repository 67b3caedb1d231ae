"""Answers with an odd character or number in them are read, and can be stored."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.http import read_json

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (rb'{"subject": "hello \ud83d"}', {"subject": "hello \ufffd"}),
        (rb'{"subject": "hello \ud83d\ude00"}', {"subject": "hello \U0001f600"}),
        (rb'{"\udc00": ["a\u0000b"]}', {"\ufffd": ["a\ufffdb"]}),
        (b'{"subject": "a\x00b\tc"}', {"subject": "a\ufffdb\tc"}),
        (b'{"subject": "caf\xe9"}', {"subject": "caf\ufffd"}),
        (b'{"subject": "\xed\xa0\xbd"}', {"subject": "\ufffd\ufffd\ufffd"}),
        (b'\xef\xbb\xbf{"id": 1}', {"id": 1}),
        (b"[NaN, Infinity, -Infinity, 1e999, 1.5]", [None, None, None, None, 1.5]),
        (b"[1E+0400, -1e400, 9e99, 1e-400, 1.5e2]", [None, None, 9e99, 0.0, 150.0]),
        (b"[1" + b"0" * 5000 + b"]", ["1" + "0" * 5000]),
        (b"[" + b"9" * 40 + b", " + b"9" * 41 + b"]", [10**40 - 1, "9" * 41]),
    ],
)
def test_an_odd_character_or_number_costs_nothing_else(content: bytes, value: Any) -> None:
    assert read_json(content) == value


@given(ANYTHING)
def test_all_that_is_read_can_be_written_as_strict_json(value: Any) -> None:
    for ascii_only in (True, False):
        content = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
        text = json.dumps(read_json(content), allow_nan=False, ensure_ascii=False)
        assert "\\u0000" not in text
        text.encode("utf-8")


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"id": 1'])
def test_what_is_no_json_is_an_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(content)
