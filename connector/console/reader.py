"""Who reads a page: in which language it is worded, and in which zone its times are told.

Said once at the door for all that one request shows: the reader's own setting, else what the browser says, else English
and UTC.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from markupsafe import Markup
from starlette.requests import Request

from connector.console.language import accepted, catalogue, languages
from connector.store.users import User
from policies.model import TRANSLATE, Instant

ZONE_COOKIE = "uptier-zone"
"""In it `time.js` says which zone the browser has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A reader. `language` is the code of one of `languages`."""

    zone: tzinfo = UTC
    language: str = "en"


READER: ContextVar[Reader] = ContextVar("reader", default=Reader())  # noqa: B039 (it is frozen)


def read_by(request: Request, user: User | None) -> None:
    """Say who reads the answer to this request: from here on times and words are theirs."""
    zone = user.zone if user is not None else ""
    language = user.language if user is not None else ""
    zone = zone or request.cookies.get(ZONE_COOKIE, "").replace("%2F", "/")
    if language not in languages():
        language = accepted(request.headers.get("accept-language", ""))
    READER.set(Reader(zone=zone_named(zone) or UTC, language=language))
    TRANSLATE.set(catalogue(language).gettext)


@lru_cache(maxsize=512)
def zone_named(name: str) -> tzinfo | None:
    """The zone of this name, such as Europe/Berlin; None if there is none."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name) if name in zone_names() else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


@lru_cache(maxsize=1)
def zone_names() -> tuple[str, ...]:
    """All zones by name, as people know them: a place of a continent, and UTC."""
    return ("UTC", *sorted(name for name in available_timezones() if is_place(name)))


def is_place(name: str) -> bool:
    """Whether the name of a zone names a place."""
    return "/" in name and not name.startswith(("Etc/", "SystemV/", "US/", "posix/", "right/"))


def told_at(at: Instant | None, form: str = "%Y-%m-%d %H:%M:%S %Z") -> str:
    """An instant as the reader's clock says it, with the name of their zone."""
    return "" if at is None else datetime.fromtimestamp(at, READER.get().zone).strftime(form)


def stamp(at: Instant | None) -> str:
    """The same to the second, without the zone: where a heading says it."""
    return told_at(at, "%Y-%m-%d %H:%M:%S")


def iso(at: Instant | None) -> str:
    """For a machine."""
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def hover(at: Instant | None) -> str:
    """What is told of an instant when the mouse rests on it: the reader's clock, and UTC."""
    if at is None:
        return ""
    utc = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return utc if told_at(at) == utc else f"{told_at(at)}; {utc}"


def clock(at: Instant | None, now: Instant | None = None) -> Markup:
    """An instant as an element: the reader's clock in it, UTC behind it. With `now` it is told to the minute, and of
    today without the day."""
    if at is None:
        return Markup()
    form = "%Y-%m-%d %H:%M:%S %Z"
    if now is not None:
        form = "%H:%M %Z" if told_at(at, "%F") == told_at(now, "%F") else "%Y-%m-%d %H:%M %Z"
    element = Markup('<time datetime="{}" title="{}">{}</time>')
    return element.format(iso(at), hover(at), told_at(at, form))
