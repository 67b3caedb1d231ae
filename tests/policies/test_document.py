"""Documents: what a file says, and at which line."""

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.language.document import Document, Path, Problem, did_you_mean, read

PROVEN = settings(max_examples=60, deadline=None, derandomize=True, database=None)

TEXT = '''\
# a remark
[service]
mode = "observe"

[[policy]]
name = "first"
"quoted key" = 1
stop_on = [
  "agent_reply",  # ] not the end
  "assigned",
]
when.status = "open"
when.requester.vip = true
[policy.unless]
subject = """
a [text]
of "lines" \\""" = 3
"""
type = 'task'
[[policy.level]]
name = "one"
assign = { group = "Tier 2", agent = "x" }
[[policy.level]]
name = "two"
any = [{ a = 1 }, { b = [
  1,
  2] }]
[[policy]]
name = "second"
[policy.when.custom]
tier = 2
[[policy.level]]
name = "three"
[calendars."a.b".open]
2026-12-26 = "10:00-12:00"
'''


def document(text: str) -> Document:
    """The text as a document."""
    found = read("a.toml", text)
    assert isinstance(found, Document), found
    return found


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("service",), 2),
        (("service", "mode"), 3),
        (("policy", 0), 5),
        (("policy", 0, "name"), 6),
        (("policy", 0, "quoted key"), 7),
        (("policy", 0, "stop_on"), 8),
        (("policy", 0, "stop_on", 0), 9),
        (("policy", 0, "stop_on", 1), 10),
        (("policy", 0, "when"), 12),
        (("policy", 0, "when", "status"), 12),
        (("policy", 0, "when", "requester"), 13),
        (("policy", 0, "when", "requester", "vip"), 13),
        (("policy", 0, "unless"), 14),
        (("policy", 0, "unless", "subject"), 15),
        (("policy", 0, "unless", "type"), 19),
        (("policy", 0, "level", 0), 20),
        (("policy", 0, "level", 0, "assign", "agent"), 22),
        (("policy", 0, "level", 1), 23),
        (("policy", 0, "level", 1, "any", 0, "a"), 25),
        (("policy", 0, "level", 1, "any", 1, "b", 0), 26),
        (("policy", 0, "level", 1, "any", 1, "b", 1), 27),
        (("policy", 1), 28),
        (("policy", 1, "when", "custom", "tier"), 31),
        (("policy", 1, "level", 0, "name"), 33),
        (("calendars", "a.b", "open", "2026-12-26"), 35),
    ],
)
def test_every_value_has_its_line(path: Path, line: int) -> None:
    assert document(TEXT).line(path) == line


def test_what_is_not_there_has_the_line_of_the_nearest_around_it() -> None:
    found = document(TEXT)
    assert found.line(("policy", 0, "level", 1, "after")) == 23
    assert found.line(("policy", 1, "clock")) == 28
    assert found.line(("nowhere",)) == 0
    assert found.line(()) == 0


def test_lines_are_the_same_with_windows_line_ends() -> None:
    assert document(TEXT.replace("\n", "\r\n")).lines == document(TEXT).lines


def test_the_values_are_those_of_tomllib() -> None:
    assert document(TEXT).data == tomllib.loads(TEXT)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = \nc = 2\n", 2),
        ("a = 1\na = 2\n", 2),
        ("[a\n", 1),
        ("a = 1\nb = [1,\n", 2),
        ("a = 'x\n", 1),
    ],
)
def test_a_syntax_error_is_a_finding_with_its_line(text: str, line: int) -> None:
    found = read("a.toml", text)
    assert isinstance(found, Problem)
    assert (found.file, found.code, found.severity) == ("a.toml", "syntax", "error")
    assert abs(found.line - line) <= 1
    assert "this is not valid TOML" in found.message
    assert "(at" not in found.message


@pytest.mark.parametrize(
    ("text", "line", "step"),
    [
        ('a = 1\nb = "open\nc = 2\n', 2, "the one that closes a text is missing"),
        ('a = ["x, "y"]\n', 1, "the one that closes a text is missing"),
        ('a = "open', 1, "the one that closes a text is missing"),
        ('a = 1\nb = """open\nc = "2"\nd = 3\n', 2, 'is never closed by """'),
        ("a = 1\nb = = 2\n", 2, "Correct this line."),
    ],
)
def test_a_quote_that_is_missing_is_said_to_be_at_its_line(text: str, line: int, step: str) -> None:
    found = read("a.toml", text)
    assert isinstance(found, Problem)
    assert (found.line, step in found.message) == (line, True), found.message


# --- any document --------------------------------------------------------------------------------------------

keys = st.text("ab_-1 .\"'\\é", min_size=1, max_size=4)
scalars = st.one_of(st.integers(-9, 9), st.booleans(), st.text("ab#]},\"'\\\n=é", max_size=6))


def quoted(text: str) -> str:
    """A basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


class Writer:
    """Writes values as TOML over many lines, and notes the line of each path as it goes."""

    def __init__(self) -> None:
        self.text = ""
        self.lines: dict[Path, int] = {}

    @property
    def line(self) -> int:
        return self.text.count("\n") + 1

    def value(self, path: Path, value: Any) -> None:
        """A value; arrays put each item on a line of its own, with a remark behind."""
        self.lines.setdefault(path, self.line)
        if isinstance(value, dict):
            self.text += "{"
            for index, (key, each) in enumerate(value.items()):
                self.text += (", " if index else " ") + f"{quoted(key)} = "
                self.value((*path, key), each)
            self.text += " }"
        elif isinstance(value, list):
            self.text += "[\n"
            for index, each in enumerate(value):
                self.value((*path, index), each)
                self.text += ", # ] } \" '\n"
            self.text += "]"
        elif isinstance(value, str):
            self.text += quoted(value)
        else:
            self.text += str(value).lower()

    def pairs(self, path: Path, values: dict[str, Any]) -> None:
        """Keys and values, with an empty line and a remark before each."""
        for key, each in values.items():
            self.text += "\n  # a = 1\n"
            line = self.line
            self.text += f"{quoted(key)} = "
            self.lines[(*path, key)] = line
            self.value((*path, key), each)
            self.text += "\n"

    def tables(self, name: str, tables: list[dict[str, Any]]) -> None:
        """An array of tables."""
        for index, each in enumerate(tables):
            self.lines.setdefault((name,), self.line)
            self.lines[(name, index)] = self.line
            self.text += f"[[{quoted(name)}]] # x\n"
            self.pairs((name, index), each)


values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
tables = st.lists(st.dictionaries(keys, values, max_size=3), min_size=1, max_size=3)


@PROVEN
@given(st.dictionaries(keys, values, max_size=3), st.dictionaries(keys, tables, max_size=3))
def test_the_scanner_notes_every_line_of_any_document(
    first: dict[str, Any], then: dict[str, list[dict[str, Any]]]
) -> None:
    writer = Writer()
    writer.pairs((), first)
    for name, each in then.items():
        if name not in first:
            writer.tables(name, each)
    found = document(writer.text)
    assert found.data == {**then, **first}
    assert found.lines == writer.lines


@pytest.mark.parametrize(
    "text",
    [
        f"a = {'[' * 5000}{']' * 5000}",
        f"a = {'{ b = ' * 5000}1{' }' * 5000}",
        f"a = {'[' * 5000}",
        f"a = {'[' * 65}{']' * 65}",
        f"{'.'.join('a' * 70)} = 1",
        f"[{'.'.join('a' * 70)}]",
    ],
)
def test_what_nests_too_deep_is_a_problem_of_its_file(text: str) -> None:
    found = read("deep.toml", text)
    assert isinstance(found, Problem)
    assert (found.file, found.code) == ("deep.toml", "too-deep")


def test_a_word_is_proposed_that_is_close_or_has_the_word_in_it_as_no_other() -> None:
    words = ("customer_waiting", "matching", "first_reply", "next_reply")
    assert did_you_mean("Tier One", ("Tier 2", "Tier 1")) == ' Did you mean "Tier 1"?'
    assert did_you_mean("waiting", words) == ' Did you mean "customer_waiting"?'
    assert did_you_mean("maching", words) == ' Did you mean "matching"?'
    assert did_you_mean("colour", words) == ""
