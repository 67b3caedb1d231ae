"""What every answer of the console has in common: templates, headers, the page of an error."""

from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from connector.console.language import Worded, Words, worded
from connector.console.reader import READER, clock, hover, iso, stamp, told_at
from connector.render import away
from connector.report.formats import amount, interval, name_of, of_what
from policies.model import TRANSLATE, Seconds, spell
from policies.present.explain import value_words

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
PAPER = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'"
"""For a report or a matrix in a frame: the same file that the command writes."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}
AGAIN_AFTER: Seconds = 5
"""When somebody may come again for whom there was no room, or no database."""
STATIC: Mapping[str, str] = {
    "htmx-2.0.11.min.js": "text/javascript",
    "htmx-ext-sse-2.2.4.min.js": "text/javascript",
    "console.js": "text/javascript",
    "time.js": "text/javascript",
    "console.css": "text/css",
    "wall.css": "text/css",
}
PAGES = Environment(
    loader=PackageLoader("connector.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    extensions=["jinja2.ext.i18n", Worded],
)
PAGES.install_gettext_callables(  # type: ignore[attr-defined]
    lambda text: TRANSLATE.get()(text),  # noqa: PLW0108 (whose it is changes from one page to the next)
    lambda one, more, many: TRANSLATE.get()(one if many == 1 else more),
    newstyle=True,
)
PAGES.policies["ext.i18n.trimmed"] = True


def about(span: Seconds) -> str:
    """How long, to the minute, or of days to the hour: for a list that is read at a glance."""
    minutes = max(span, 0) // 60
    days, hours, left = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days}d {hours}h" if hours and days < 10 else f"{days}d"
    if hours:
        return f"{hours}h {left}m" if left else f"{hours}h"
    return f"{left}m" if left else "under 1m"


PAGES.filters |= {
    "about": about,
    "stamp": stamp,
    "iso": iso,
    "hover": hover,
    "clock": clock,
    "worded": worded,
    "spell": spell,
    "value": value_words,
}
PAGES.filters["hour"] = partial(told_at, form="%H:%M")
PAGES.globals |= {"away": away, "words": Words, "language": lambda: READER.get().language}
PAGES.globals["told"] = {"name": name_of, "amount": amount, "of": of_what, "interval": interval}


def page(name: str, status: int = 200, **words: Any) -> HTMLResponse:
    """A page from its template."""
    return HTMLResponse(
        PAGES.get_template(name).render(**words), status, HEADERS | {"Content-Security-Policy": POLICY}
    )


def paper(text: str) -> HTMLResponse:
    """A whole HTML file, to stand in a frame."""
    return HTMLResponse(text, 200, HEADERS | {"Content-Security-Policy": PAPER})


def drawing(text: str) -> Response:
    """An SVG, for an image on a page or a window of its own."""
    return Response(text, 200, HEADERS | {"Content-Security-Policy": PAPER}, media_type="image/svg+xml")


def asset(name: str) -> Response | None:
    """A file that belongs to the pages; None if there is none of this name."""
    if name not in STATIC:
        return None
    content = (files("connector.console") / "static" / name).read_bytes()
    headers = HEADERS | {"Cache-Control": "max-age=3600", "ETag": f'"{sha256(content).hexdigest()[:16]}"'}
    return Response(content, 200, headers, media_type=STATIC[name])
