"""One API call as a handler sees it: who calls, with what, on which account, and how pages are cut."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from adapters.zendesk.simulator_errors import forbidden, invalid_attribute, not_found, not_played, refused
from adapters.zendesk.simulator_records import Record
from adapters.zendesk.simulator_state import Zendesk

DEEPEST = 10_000  # records that offset pages reach
LARGEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request after authentication. `base` is the address it came in under, without a path."""

    desk: Zendesk
    user: Record
    path: str
    query: QueryParams
    base: str
    client: str
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None

    def number(self, name: str, default: int, *, most: int) -> int:
        """A whole number of the query, at most `most`; Refused with 400 if it is none."""
        text = self.query.get(name)
        if text is None:
            return default
        if not text.isdigit() or int(text) < 1:
            raise invalid_attribute(name, "an integer", self.path)
        return min(int(text), most)

    def need_admin(self) -> None:
        """Refuse with 403 unless the caller is an admin."""
        if self.user["role"] != "admin":
            raise forbidden(as_object=self.desk.switches.error_objects)

    def missing(self) -> Exception:
        """The account's 404."""
        return not_found(empty=self.desk.switches.empty_404)

    def address(self, query: Mapping[str, str | int], *without: str) -> str:
        """This call's own URL with these query values instead of its own, and without some."""
        gone = {*query, *without}
        kept = [(name, value) for name, value in self.query.multi_items() if name not in gone]
        return f"{self.base}{self.path}?{urlencode([*kept, *query.items()])}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A page: its rows, and what the reply says of the other pages."""

    rows: list[Record]
    about: Mapping[str, Any]


def paged(call: Call, rows: Iterable[Record]) -> Slice:
    """Cut a list as the caller asks: `page[size]` gives cursor pages, anything else offset pages."""
    if "page[size]" in call.query or "page[after]" in call.query:
        return by_cursor(call, rows)
    return _by_offset(call, list(rows))


def by_cursor(call: Call, rows: Iterable[Record], *, most: int = LARGEST) -> Slice:
    """Cut a list that has cursor pages. Rows stand in the order of their ids, up or down.

    After a full last page `has_more` is true and an empty page follows, as it can happen with Zendesk.
    """
    if "page[before]" in call.query:
        raise not_played("page[before]")
    size = call.number("page[size]", LARGEST, most=most)
    listed = list(rows)
    start = _place(call, listed)
    page = listed[start : start + size]
    more = start + size < len(listed) or (call.desk.switches.empty_last_page and len(page) == size)
    after = _pack(page[-1]["id"]) if page else None
    before = _pack(page[0]["id"]) if page else None
    meta = {"has_more": more, "after_cursor": after, "before_cursor": before}
    links = {
        "prev": call.address({"page[before]": before}, "page[after]") if start and before else None,
        "next": call.address({"page[after]": after}) if more and after else None,
    }
    return Slice(rows=page, about={"meta": meta, "links": links})


def _place(call: Call, rows: list[Record]) -> int:
    """How many rows lie before the cursor; the row it names may be gone by now."""
    cursor = call.query.get("page[after]")
    if not cursor:
        return 0
    wanted = _unpack(call, cursor)
    ascending = len(rows) < 2 or rows[0]["id"] < rows[-1]["id"]
    return sum(1 for row in rows if (row["id"] <= wanted if ascending else row["id"] >= wanted))


def _pack(number: int) -> str:
    return base64.b64encode(json.dumps({"o": "id", "v": number}).encode()).decode()


def _unpack(call: Call, cursor: str) -> int:
    try:
        return int(json.loads(base64.b64decode(cursor, validate=True))["v"])
    except (ValueError, KeyError, TypeError):
        raise invalid_attribute("page[after]", "a valid cursor", call.path) from None


def _by_offset(call: Call, rows: list[Record]) -> Slice:
    size = call.number("per_page", LARGEST, most=LARGEST)
    page = call.number("page", 1, most=DEEPEST)
    if page * size > DEEPEST:
        body = {"error": {"title": "Invalid request", "message": "Pagination limit reached for offset model"}}
        raise refused(400, body)
    part = rows[(page - 1) * size : page * size]
    following = call.address({"page": page + 1}) if page * size < len(rows) else None
    previous = call.address({"page": page - 1}) if page > 1 else None
    about = {"next_page": following, "previous_page": previous, "count": len(rows)}
    return Slice(rows=part, about=about)
