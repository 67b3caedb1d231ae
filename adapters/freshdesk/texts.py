"""Plain text as Freshdesk's HTML and back, and the mark of a write in a note.

Freshdesk wraps what it is given and may clean it, so a text is compared without its white space, and the mark,
a comment in the HTML, may be gone. https://developers.freshdesk.com/api/#add_note_to_a_ticket
"""

import html
import re
from typing import Any

COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
MARK = re.compile(r"<!--\s*uptier:([0-9a-f]+)\s*-->")
BREAK = re.compile(r"<br ?/?>|</(?:p|div|li)>", re.IGNORECASE)
ELEMENT = re.compile(r"<[^>]*>")
SPACE = re.compile(r"\s+")


def markup(text: str) -> str:
    """The text as HTML. Nothing in it is taken for an element."""
    return html.escape(text, quote=False).replace("\r\n", "\n").replace("\n", "<br>")


def marked(text: str, key: str) -> str:
    """The text as HTML with a write's key in a comment, which no reader of the note sees."""
    return f"{markup(text)}<!-- uptier:{key.encode().hex()} -->"


def mark(body: Any) -> str | None:
    """The key of our write in a note's HTML, if it is there and was left whole."""
    found = MARK.search(body) if isinstance(body, str) else None
    try:
        return bytes.fromhex(found[1]).decode() if found else None
    except ValueError:
        return None


def plain(body: Any, text: Any) -> str:
    """What a message says: Freshdesk's own plain text of it, else its HTML without elements."""
    if isinstance(text, str) and text.strip():
        return text.strip()
    bare = ELEMENT.sub("", BREAK.sub("\n", COMMENT.sub("", body if isinstance(body, str) else "")))
    return html.unescape(bare).strip()


def same(left: str, right: str) -> bool:
    """Whether two texts say the same, however they are broken into lines."""
    return SPACE.sub("", left) == SPACE.sub("", right)
