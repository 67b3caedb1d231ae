"""What the service says of itself: one line per state change, as JSON, with every known secret masked. A command that
works once and talks to a person says each of them as a sentence.

A line is a fixed `action` word with fields: `log.info("write_sent", key=…)`. Around work on a ticket stands
`with about(ref):`, so that each line in it carries the ticket. Lines of libraries go the same way, as the
action `library`. Masking comes last before rendering, so it also sees tracebacks and what others put in.
"""

import logging
import math
import re
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from json import dumps
from typing import TextIO
from urllib.parse import quote

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from adapters.http import clean
from connector.clock import Clock
from connector.render import as_lines, one_line
from policies.model import TicketRef

MASK = "***"
STANDS_EVERYWHERE = 4
PART_OF_WORDS = 8
"""Secrets of fewer characters are not masked at all, or not within words: they would eat what is none of theirs."""
QUIET = {"zenpy": logging.CRITICAL, "apscheduler": logging.WARNING, "httpx": logging.WARNING}
QUIET |= {"apprise": logging.WARNING, "urllib3": logging.WARNING}  # at lower levels they name addresses
QUIET |= {"uvicorn.error": logging.ERROR}  # at lower levels every stranger may write a line
QUIET |= {"httpcore": logging.WARNING, "uvicorn.access": logging.WARNING, "alembic": logging.WARNING}
REPEATING = frozenset({"psycopg", "procrastinate", "apscheduler", "sqlalchemy"})
MINUTE = 60
KIND = 60
"""Lines that begin with so many same characters are of one kind."""

# The header as it gets printed: `Authorization: x`, `'authorization': 'x'`, `(b'authorization', b'x')`.
HEADER = re.compile(r"(?i)(authorization[\"']?\s*[:=,]\s*b?[\"']?)[^\"'\r\n,})]+")
SCHEME = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{16,}")
USERINFO = re.compile(r"(://[^/\s:@\"']*:)[^/\s@\"']+@")
SECRET_FIELDS = frozenset({"authorization", "proxy-authorization", "cookie", "password", "secret", "token"})


class Masker:
    """Knows every secret that was resolved and takes it out of what is said. Any thread may add to it."""

    def __init__(self) -> None:
        self._spellings: tuple[str, ...] = ()
        self._words: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        """Mask this value from now on, also as JSON, a URL or Python would spell it. A short one is masked where it
        is a word of its own; the shortest is not, because it stands everywhere by chance."""
        if len(secret) < STANDS_EVERYWHERE:
            return
        spelled = {secret, dumps(secret)[1:-1], quote(secret, safe=""), repr(secret)[1:-1]}
        self._spellings = tuple(sorted({*self._spellings, *spelled}, key=len, reverse=True))
        short = [re.escape(each) for each in self._spellings if len(each) < PART_OF_WORDS]
        self._words = re.compile(rf"(?<!\w)(?:{'|'.join(short)})(?!\w)") if short else None

    def mask(self, text: str) -> str:
        """The text without secrets, Authorization values, passwords in URLs and half characters."""
        for spelling in self._spellings:
            if len(spelling) >= PART_OF_WORDS:
                text = text.replace(spelling, MASK)
        if self._words is not None:
            text = self._words.sub(MASK, text)
        text = HEADER.sub(rf"\g<1>{MASK}", text)
        text = SCHEME.sub(rf"\g<1> {MASK}", text)
        return clean(USERINFO.sub(rf"\g<1>{MASK}@", text))

    def clean(self, value: object) -> object:
        """The same value, masked however deep; what is neither text, number nor a collection becomes text."""
        match value:
            case None | bool() | int() | float():
                return value
            case Mapping():
                return {self.mask(str(key)): self._field(str(key), inner) for key, inner in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self.clean(inner) for inner in value]
            case _:
                return self.mask(str(value))

    def _field(self, name: str, value: object) -> object:
        return MASK if name.lower() in SECRET_FIELDS else self.clean(value)

    def __call__(self, _logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        """Mask a whole log line."""
        return {name: self._field(name, value) for name, value in line.items()}


class OnceAMinute(logging.Filter):
    """Lets each warning of these libraries by once a minute, with the count of those kept back: while a database is
    down, they say the same many times a second, with tracebacks. Our own lines say what is wrong."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        if record.levelno < logging.WARNING or record.name.partition(".")[0] not in REPEATING:
            return True
        kind, now = (record.name, str(record.msg).partition(chr(10))[0][:KIND]), self._clock.monotonic()
        at, kept_back = self._said.get(kind, (-math.inf, 0))
        if now - at < MINUTE:
            self._said[kind] = (at, kept_back + 1)
            return False
        self._said[kind] = (now, 0)
        record.exc_info = record.exc_text = None
        if kept_back:
            record.msg = f"{record.getMessage()} ({kept_back} more like it since)"
            record.args = None
        return True


def _unmoved(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """A traceback ends with what was raised, and that may quote anybody."""
    if "exception" in line:
        line["exception"] = as_lines(line["exception"])
    return line


def _sentence(_logger: WrappedLogger, _method: str, line: EventDict) -> str:
    """`warning: acme/1: write refused: the text (key k:1)`; of a traceback only what was raised."""
    level, action, raised = line.pop("level"), line.pop("event"), line.pop("exception", "")
    line.pop("at", None)
    what = line.pop("library", None) if action == "library" else action.replace("_", " ")
    raised = raised.strip().rpartition("\n")[2]
    texts = (level, line.pop("ticket", ""), what, line.pop("text", ""), raised)
    fields = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in line.items())
    said = ": ".join(str(text) for text in texts if text)
    return one_line(f"{said} ({fields})" if fields else said)


Style = tuple[Processor, ...]

RECORDS: Style = (structlog.processors.EventRenamer("action"), structlog.processors.JSONRenderer())
"""JSON lines, for programs."""

SENTENCES: Style = (_sentence,)
"""One plain line each, for whoever reads what a command printed beside it."""

# Texts are quoted, so that no ticket can move the reader's cursor.
COLOURS: Style = (
    _unmoved,
    structlog.dev.ConsoleRenderer(
        exception_formatter=structlog.dev.plain_traceback, repr_native_str=True, timestamp_key="at"
    ),
)


def about(ref: TicketRef) -> AbstractContextManager[None]:
    """Let every line said inside, by whomever, carry this ticket."""
    return structlog.contextvars.bound_contextvars(ticket=str(ref))


def configure(
    masker: Masker,
    clock: Clock,
    stream: TextIO | None = None,
    level: int = logging.INFO,
    style: Style = RECORDS,
) -> None:
    """Send all logging of this process to `stream` (standard error): on a terminal in colours, elsewhere as `style`
    has it."""
    out = stream or sys.stderr
    first: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _stamp(clock),
    ]
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*first, _name_library],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                masker,
                *(COLOURS if out.isatty() else style),
            ],
        )
    )
    handler.addFilter(OnceAMinute(clock))
    _take_over(handler, level)
    structlog.configure(
        processors=[*first, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )


def _take_over(handler: logging.Handler, level: int) -> None:
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(max(least, level))


def _stamp(clock: Clock) -> Processor:
    def stamp(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        line["at"] = datetime.fromtimestamp(clock.now(), UTC).isoformat().replace("+00:00", "Z")
        return line

    return stamp


def _name_library(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    record: logging.LogRecord = line["_record"]
    line["library"], line["text"], line["event"] = record.name, line["event"], "library"
    return line
