"""The matrix as one HTML page that asks no other host for anything."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from connector.matrix.tables import about, ladders, remarks
from connector.render import plain
from policies.present.matrix import Matrix

PAGES = Environment(
    loader=PackageLoader("connector.matrix"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
PAGES.filters["plain"] = plain


def as_html(matrix: Matrix) -> str:
    """The page: a table for each policy, then calendars and texts."""
    return PAGES.get_template("matrix.html").render(
        about=about(matrix),
        remarks=remarks(matrix),
        ladders=ladders(matrix),
        calendars=matrix.calendars,
        texts=matrix.texts,
    )
