"""Notes and replies: `work_notes` is for staff, `comments` reaches the requester. Entries are never changed.

A note carries a short reference at its end, by which it is found again; a reply carries nothing that is not
said to the customer, and is known by its words. Vendor sheet 1.5, 2.7 and 5.3,
https://www.servicenow.com/docs/r/platform-user-interface/c_JournalFields.html
"""

import hashlib
import re
from collections.abc import Iterable

from adapters.servicenow.rows import Row, text

TABLE = "sys_journal_field"
COLUMNS = ("element", "element_id", "value", "sys_created_on", "sys_created_by")
NOTES, COMMENTS = "work_notes", "comments"
ELEMENTS = (COMMENTS, NOTES)
LONGEST = 4000
LONGEST_NAME = 40
"""`sys_created_by` keeps no more of a user name. Vendor sheet, "Learned since"."""
CUT = " […]"
MARK = re.compile(r"\s*\[(ref:[0-9a-f]{12})\]\s*$")
MARKUP = re.compile(r"\[(/?code)\]", re.IGNORECASE)
SPACE = re.compile(r"\s+")


def element(*, public: bool) -> str:
    """The journal for a note or a reply. There is no default: a mix-up leaks."""
    return COMMENTS if public else NOTES


def reference(key: str) -> str:
    """The short reference of a write."""
    return f"ref:{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def squeezed(body: str) -> str:
    """The words without what is between them."""
    return SPACE.sub("", body)


def words_mark(body: str) -> str:
    """What stands for the words of a reply, however they are broken into lines."""
    return f"words:{hashlib.sha256(squeezed(body).encode()).hexdigest()[:24]}"


def noted(body: str, key: str) -> str:
    """An internal note with its reference."""
    mark = f"\n[{reference(key)}]"
    return cut(plain(body), LONGEST - len(mark)) + mark


def replied(body: str) -> str:
    """A public reply."""
    return cut(plain(body), LONGEST)


def plain(body: str) -> str:
    """The text without the marks that would make ServiceNow take a part of it for HTML."""
    return MARKUP.sub(r"(\1)", body)


def cut(body: str, longest: int) -> str:
    """The text, its end cut off and marked where the journal would not hold it."""
    return body if len(body) <= longest else body[: longest - len(CUT)] + CUT


def is_cut(body: str, *, public: bool) -> bool:
    """Whether a text is too long to be written whole."""
    room = LONGEST if public else LONGEST - len("\n[ref:]") - 12
    return len(plain(body)) > room


def mark(row: Row) -> str:
    """What tells an entry of ours: a note's reference, else its words."""
    found = MARK.search(text(row, "value")) if text(row, "element") == NOTES else None
    return found[1] if found else words_mark(text(row, "value"))


def mark_of(name: str, value: str) -> str:
    """The same for a text that is to be written."""
    return mark({"element": name, "value": value})


def body(row: Row) -> str:
    """What an entry says, without a reference at its end."""
    return MARK.sub("", text(row, "value"))


def written(
    rows: Iterable[Row], bot: str, said: dict[str, str], known: Iterable[str], since: str
) -> dict[str, str]:
    """The ids of the entries that are this write, by journal. `said` is text by journal, `known` are entries
    that were there before, `since` is the stamp before which none of it can be."""
    before, found = set(known), dict[str, str]()
    for row in rows:
        name, key = text(row, "element"), text(row, "sys_id")
        ours = text(row, "sys_created_by") == bot and text(row, "sys_created_on") >= since
        if ours and key not in before and name in said and mark(row) == mark_of(name, said[name]):
            found[name] = key
    return found
