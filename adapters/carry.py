"""What comes of rules that were kept elsewhere: policies that mean the same, and why others could not be carried over.

A rule is carried over as a whole or not at all, and never in doubt: half of one would be another rule.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

TEMPLATED = re.compile(r"\{\{|\{%|\{#")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What ids stand for, as far as is known: names of groups and organizations, addresses (else names) of people, and
    of each custom field its NAME in our config. `statuses` is what our config makes of the vendor's statuses.
    `mail_as_note` is what the person said who carries over: mail to agents becomes an internal note."""

    groups: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    organizations: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)
    mail_as_note: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """One line of a rule as it was written, and why it could not be carried over; empty where it could."""

    text: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What came of one rule. `policy` is a table as `[[policy]]` has it, `templates` are texts that it names; both are
    empty unless every line could be carried over and `why` says nothing of the whole. `remarks` are what differs all
    the same. A rule that `stands` is needed no more: Uptier reads what it does."""

    kind: str
    title: str
    lines: tuple[RuleLine, ...]
    why: str = ""
    policy: Mapping[str, Any] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    stands: bool = False

    @property
    def fate(self) -> Literal["carried over", "not carried over", "nothing to do"]:
        """In words for a person."""
        if self.policy:
            return "carried over"
        return "nothing to do" if self.stands else "not carried over"


class CannotCarry(Exception):
    """Why a line cannot be carried over."""


def need_every_page(export: Any) -> None:
    """Raise ValueError for pages of a list whose last one is not among them: what is missing would change what the rest
    means."""
    told = list(_pages(export))
    if told and all(told):
        raise ValueError("it is one page of several; put all of them into one list: [PAGE, PAGE]")


def _pages(export: Any) -> Iterator[bool]:
    """Of each page, whether another one follows."""
    if isinstance(export, list):
        for each in export:
            yield from _pages(each)
    elif isinstance(export, Mapping):
        meta = export.get("meta")
        following = [export[key] for key in ("next", "next_page", "more") if key in export]
        following += [meta.get("has_more")] if isinstance(meta, Mapping) else []
        if following:
            yield any(following)
        for value in export.values():
            if isinstance(value, Mapping) and "results" in value:
                yield from _pages(value)


def as_template(text: str) -> str:
    """A text that was written elsewhere as one of our templates. CannotCarry where it has placeholders."""
    if TEMPLATED.search(text):
        raise CannotCarry(
            "its text has placeholders, which mean something else here; write a template for it"
        )
    if not text.strip():
        raise CannotCarry("its text is empty")
    return text
