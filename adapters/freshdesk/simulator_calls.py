"""One API call as a handler sees it: who calls, with what, on which account, and how pages are cut."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from adapters.freshdesk.simulator_errors import Reply, denied, invalid, not_played, unknown_field
from adapters.freshdesk.simulator_records import Record
from adapters.freshdesk.simulator_state import Freshdesk

USUAL, LARGEST = 30, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request after authentication. `base` is the address it came in under, without a path."""

    desk: Freshdesk
    agent: Record
    path: str
    query: QueryParams
    base: str
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None

    def takes(self, *names: str) -> None:
        """Refuse with 400 a query parameter that is none of these."""
        for name in self.query:
            if name not in names:
                raise unknown_field(name)

    def number(self, name: str, default: int) -> int:
        """A whole number of the query from 1 on; Refused with 400 if it is none."""
        text = self.query.get(name)
        if text is None:
            return default
        if not text.isdigit() or int(text) < 1:
            raise invalid((name, "It should be a Positive Integer", "datatype_mismatch"))
        return int(text)

    def includes(self, allowed: Set[str], played: Set[str]) -> set[str]:
        """What `include` asks for; Refused with 400, or 501 where Freshdesk knows it and this does not."""
        wanted = set(self.query.get("include", "").split(",")) - {""}
        if wanted - allowed:
            text = f"It should be one of these values: '{','.join(sorted(allowed))}'"
            raise invalid(("include", text, "invalid_value"))
        if wanted - played:
            raise not_played(f"include={','.join(sorted(wanted - played))} on {self.path}")
        return wanted

    def need_admin(self) -> None:
        """Refuse with 403 unless the caller is an administrator."""
        if not self.agent["admin"]:
            raise denied()


def paged(call: Call, rows: Iterable[Record], *, last: int | None = None) -> Reply:
    """One page of a bare list. `Link` is there when another follows; its spelling is the vendor's."""
    size, page = call.number("per_page", USUAL), call.number("page", 1)
    if size > LARGEST:
        text = f"It should be a Positive Integer less than or equal to {LARGEST}"
        raise invalid(("per_page", text, "invalid_value"))
    if last is not None and page > last:
        text = f"You cannot access tickets beyond the {last}th page. Please provide a smaller page number."
        raise invalid(("page", text, "invalid_value"))
    listed = list(rows)
    part = listed[(page - 1) * size : page * size]
    headers = {}
    if page * size < len(listed):
        kept = [(name, value) for name, value in call.query.multi_items() if name != "page"]
        address = f"{call.base}{call.path}?{urlencode([*kept, ('page', page + 1)])}"
        headers["Link"] = f'< {address}>;rel="next"'
    return Reply(body=part, headers=headers)
