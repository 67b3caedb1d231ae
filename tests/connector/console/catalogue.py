"""Renews the catalogues, in `connector/console/locale`: `make words`, or with a new language's code behind it
`python -m tests.connector.console.catalogue fr`. Messages are collected from the templates and from what is marked in
the sources; each `.po` is merged with them and written as `.mo` beside it."""

import ast
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2.ext import extract_from_ast

from connector.console.commands import DONE
from connector.console.frame import PAGES
from connector.console.language import AROUND, DOMAIN
from connector.console.pages import MENU
from connector.store.users import ROLES
from policies.language.clocks import CLOCKS, HIDDEN
from policies.rules.outcomes import NEVER_DUE

ROOT = Path(__file__).parents[3]
LOCALE = ROOT / "connector" / "console" / "locale"
SOURCES = (
    "policies/rules",
    "connector/console",
    "connector/store",
    "connector/render.py",
    "connector/work/links.py",
    "policies/present",
    "policies/language",
)
MARKS = {"_": 0, "message": 0, "_page": 3, "_error": 1, "Refused": 0, "NotAllowed": 0, "Phrase": 0}
"""What makes a text of a source a message, and which argument that is: marks, titles of pages, and what is refused."""


def messages() -> Iterator[tuple[str, str]]:
    """All messages, each with the file it is from."""
    for name in sorted(PAGES.list_templates()):
        assert PAGES.loader is not None
        source = PAGES.loader.get_source(PAGES, name)[0]
        for _line, mark, found in extract_from_ast(PAGES.parse(source), ("gettext", "_", "words")):
            text = str(found if isinstance(found, str) else (found or ("",))[0])
            yield text.strip(AROUND) if mark == "words" else text, f"connector/console/templates/{name}"
    for text in (
        *(name for _address, name in MENU),
        *DONE.values(),
        *ROLES,
        HIDDEN,
        NEVER_DUE,
        *(c.phrase for c in CLOCKS.values()),
    ):
        yield text, "connector/console/pages.py"
    for place in SOURCES:
        for file in sorted((ROOT / place).glob("**/*.py")) or [ROOT / place]:
            if file.name == "api.py":
                continue  # programs are answered in one language
            for node in ast.walk(ast.parse(file.read_bytes())):
                if isinstance(node, ast.Call):
                    yield from ((text, str(file.relative_to(ROOT))) for text in marked(node))


def marked(call: ast.Call) -> Iterator[str]:
    """The message of a call that marks one."""
    of = call.func
    name = of.id if isinstance(of, ast.Name) else of.attr if isinstance(of, ast.Attribute) else ""
    found = [each.value for each in call.keywords if name == "page" and each.arg == "title"]
    found += call.args[MARKS[name] : MARKS[name] + 1] if name in MARKS else []
    for each in found:
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def collected() -> Catalog:
    """The catalogue without a translation."""
    made = Catalog(domain=DOMAIN, project="Uptier", charset="utf-8")
    for text, place in messages():
        made.add(text, locations=[(place, 1)])
    return made


def read(language: str) -> Catalog:
    """What is kept of a language."""
    with (LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def compiled(catalog: Catalog) -> bytes:
    """The catalogue as programs read it."""
    made = BytesIO()
    write_mo(made, catalog)
    return made.getvalue()


def save(catalog: Catalog, language: str) -> None:
    """Write a language, for people and for programs."""
    folder = LOCALE / language / "LC_MESSAGES"
    folder.mkdir(parents=True, exist_ok=True)
    written = BytesIO()
    write_po(written, catalog, width=120, sort_output=True, include_lineno=False)
    (folder / f"{DOMAIN}.po").write_bytes(written.getvalue())
    (folder / f"{DOMAIN}.mo").write_bytes(compiled(read(language)))


def renew(language: str) -> int:
    """Merge what is in the sources into a language; answers how many messages lack words there."""
    known = (LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po").exists()
    kept = read(language) if known else Catalog(locale=language, domain=DOMAIN)
    made = collected()
    made.creation_date = kept.creation_date  # a renewal that finds nothing new changes nothing
    kept.update(made, no_fuzzy_matching=True)
    kept.obsolete.clear()
    save(kept, language)
    return sum(1 for each in kept if each.id and not each.string)


if __name__ == "__main__":
    for name in sorted({each.name for each in LOCALE.iterdir() if each.is_dir()} | set(sys.argv[1:])):
        print(name, renew(name), "messages lack words")  # noqa: T201 (a tool for who changes the sources)
