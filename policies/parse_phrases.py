"""Reads the `[phrases.NAME]` tables: phrases by language, added to a pack that comes with Uptier or a new one."""

import re
from collections.abc import Mapping, Sequence

import re2

from policies.phrase_packs import Pack, made, pattern, shipped
from policies.table import Table

LANGUAGE = re.compile(r"[a-z]{2,3}")
PHRASES_EXAMPLE = '["speak to your manager"]'


def read_packs(roots: Sequence[Table]) -> Mapping[str, Pack]:
    """Every pack by name: those that come with Uptier, with what the files add to them."""
    said: dict[str, dict[str, tuple[str, ...]]] = {}
    for root in roots:
        for name, table in root.named("phrases"):
            if not table.values:
                table.report(
                    (), "empty", f"the pack has no phrase; write for example en = {PHRASES_EXAMPLE}."
                )
            pack = said.setdefault(name, {})
            for language in table.values:
                pack[language] = (*pack.get(language, ()), *read_language(table, language))
    return {**shipped(), **{name: joined(name, phrases) for name, phrases in said.items()}}


def joined(name: str, added: Mapping[str, tuple[str, ...]]) -> Pack:
    """The pack of that name with more phrases."""
    known = shipped()[name].phrases if name in shipped() else {}
    languages = dict.fromkeys((*known, *added))
    return made(name, {each: (*known.get(each, ()), *added.get(each, ())) for each in languages})


def read_language(table: Table, language: str) -> tuple[str, ...]:
    """The phrases of one language that are fit to run; what is wrong with the others is noted."""
    if not LANGUAGE.fullmatch(language):
        table.report(
            language, "unknown-key", f"`{language}` is no language; write its code, such as en, de or pt."
        )
        return ()
    texts = table.texts(language, PHRASES_EXAMPLE) or ()
    return tuple(each for index, each in enumerate(texts) if is_fit(table, language, index, each))


def is_fit(table: Table, language: str, index: int, phrase: str) -> bool:
    """Whether RE2 takes the phrase, and it is in no empty text."""
    try:
        search = pattern((phrase,))
    except re2.error as error:
        said = error.args[0] if error.args else "it cannot be read"
        said = said.decode() if isinstance(said, bytes) else said
        table.report((language, index), "bad-pattern", f"`{phrase}` is not a pattern that RE2 takes: {said}.")
        return False
    if search("") is not None:
        table.report(
            (language, index), "bad-pattern", f"`{phrase}` is found in every text; write a word in it."
        )
        return False
    return True
