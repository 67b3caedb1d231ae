"""Log lines are JSON with a fixed action, carry the ticket, and never hold a secret."""

import io
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from connector.clock import ManualClock
from connector.logs import MASK, SENTENCES, Masker, about, configure
from policies.model import TicketRef

TOKEN = "s3cr3t/tök=en"
Lines = Callable[[], list[dict[str, Any]]]


def fail(text: str) -> None:
    """Raise, from a place of its own."""
    raise ValueError(text)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def lines() -> Lines:
    """Logging configured with one known secret; gives the lines said since."""
    masker, stream = Masker(), io.StringIO()
    masker.add(TOKEN)
    configure(masker, ManualClock(1_764_000_000), stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_an_action_with_fields_and_the_clocks_time(lines: Lines) -> None:
    structlog.get_logger().info("write_sent", key="k:1", took=0.25)
    assert lines() == [
        {"action": "write_sent", "key": "k:1", "took": 0.25, "level": "info", "at": "2025-11-24T16:00:00Z"}
    ]


def test_lines_about_a_ticket_carry_it_whoever_speaks(lines: Lines) -> None:
    with about(TicketRef("acme", "4711")):
        structlog.get_logger().info("decided")
        logging.getLogger("sqlalchemy.pool").warning("slow %s", "client")
    structlog.get_logger().info("idle")
    ours, theirs, after = lines()
    assert ours["ticket"] == theirs["ticket"] == "acme/4711"
    assert (theirs["action"], theirs["library"], theirs["text"]) == (
        "library",
        "sqlalchemy.pool",
        "slow client",
    )
    assert "ticket" not in after


@pytest.mark.parametrize(
    ("secret", "text", "said"),
    [
        ("e", "the note was sent", "the note was sent"),
        ("was", "it was sent", "it was sent"),
        (
            "note",
            "the notebook holds a note, a note-like thing",
            "the notebook holds a ***, a ***-like thing",
        ),
        ("pa/ss", "https://x.test/?p=pa%2Fss&q=1", "https://x.test/?p=***&q=1"),
        ("notebook", "the notebooks", "the ***s"),
    ],
)
def test_a_short_secret_eats_no_letters_of_words(secret: str, text: str, said: str) -> None:
    masker = Masker()
    masker.add(secret)
    masker.add("a long secret of another kind")
    assert masker.mask(text) == said


@pytest.mark.parametrize("shown", [TOKEN, json.dumps(TOKEN), repr(TOKEN), "s3cr3t%2Ft%C3%B6k%3Den"])
def test_a_known_secret_is_masked_in_every_spelling(lines: Lines, shown: str) -> None:
    structlog.get_logger().info(
        "asked", url=f"https://x.test/?t={shown}", deep=[{"in": (shown,)}], thing={shown: 1}
    )
    (line,) = lines()
    assert MASK in line["url"]
    assert MASK in line["deep"][0]["in"][0]
    assert "s3cr3t" not in json.dumps(line)


def test_a_secret_in_a_traceback_is_masked(lines: Lines) -> None:
    try:
        fail(f"cannot use {TOKEN}")
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = lines()
    assert f"ValueError: cannot use {MASK}" in line["exception"]
    assert "s3cr3t" not in json.dumps(line)


def test_a_secret_said_by_a_library_is_masked(lines: Lines) -> None:
    try:
        fail(TOKEN)
    except ValueError:
        logging.getLogger("some.library").exception("with %s", TOKEN)
    assert "s3cr3t" not in json.dumps(lines())
    assert lines()[0]["text"] == f"with {MASK}"


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer unknown-value",
        "{'Authorization': 'Basic unknown-value'}",
        '{"authorization": "unknown-value"}',
        "[(b'authorization', b'Bearer unknown-value')]",
        "sent bearer unknown-value-of-some-length",
        "postgresql://uptier:unknown-value@db/uptier",
    ],
)
def test_credentials_nobody_registered_are_masked_by_their_place(lines: Lines, text: str) -> None:
    structlog.get_logger().info("odd", text=text, error=RuntimeError(text))
    (line,) = lines()
    assert "unknown-value" not in json.dumps(line)
    assert MASK in line["text"]


def test_a_field_named_for_a_secret_is_masked_whole(lines: Lines) -> None:
    structlog.get_logger().info("odd", headers={"Authorization": ["x", "y"], "Accept": "json"}, password=1)
    (line,) = lines()
    assert line["headers"] == {"Authorization": MASK, "Accept": "json"}
    assert line["password"] == MASK


def test_plain_words_are_left_alone(lines: Lines) -> None:
    structlog.get_logger().info("ok", text="basic training at 12:30 for dana@acme.test", none=None, yes=True)
    (line,) = lines()
    assert line["text"] == "basic training at 12:30 for dana@acme.test"
    assert (line["none"], line["yes"]) == (None, True)


def test_noisy_libraries_are_quiet(lines: Lines) -> None:
    logging.getLogger("zenpy").error("noise")
    logging.getLogger("apscheduler.scheduler").info("noise")
    logging.getLogger("uvicorn.access").info("noise")
    structlog.get_logger().debug("noise")
    assert lines() == []


def test_a_terminal_gets_readable_lines_without_control_characters_of_others() -> None:
    stream = Terminal()
    configure(Masker(), ManualClock(0), stream)
    structlog.get_logger().info("seen", subject="\x1b[2Jgone")
    try:
        fail("plain")
    except ValueError:
        structlog.get_logger().exception("failed")
    said = stream.getvalue()
    assert "seen" in said
    assert "\x1b[2J" not in said
    assert "ValueError: plain" in said


def test_what_a_library_repeats_is_written_once_a_minute_with_its_count() -> None:
    out, clock = io.StringIO(), ManualClock(1_800_000_000)
    configure(Masker(), clock, out)
    pool = logging.getLogger("psycopg.pool")
    for second in range(130):
        for number in range(3):
            error = ConnectionError(f"refused {number}")
            pool.warning("error connecting in %r: %s", "pool-1", error, exc_info=error)
        if second < 129:
            clock.advance(1)
    lines = out.getvalue().splitlines()
    assert len(lines) == 3
    assert "(179 more like it since)" in lines[1]
    assert "Traceback" not in out.getvalue()


def test_a_command_that_works_once_says_each_line_as_one_sentence() -> None:
    masker, stream = Masker(), io.StringIO()
    masker.add(TOKEN)
    configure(masker, ManualClock(1_764_000_000), stream, logging.WARNING, style=SENTENCES)
    log = structlog.get_logger()
    log.info("write_sent", key="k:0")
    with about(TicketRef("acme", "4711")):
        log.warning("write_refused", key="k:1", text=f"no\x1b[2J\nwith {TOKEN}")
    logging.getLogger("sqlalchemy.pool").warning("slow %s", "client")
    try:
        fail(f"broken by {TOKEN}")
    except ValueError:
        log.exception("look_failed")
    assert stream.getvalue().splitlines() == [
        f"warning: acme/4711: write refused: no [2J with {MASK} (key k:1)",
        "warning: sqlalchemy.pool: slow client",
        f"error: look failed: ValueError: broken by {MASK}",
    ]
