"""A policy file made of rules that were kept elsewhere: what was carried over as policies, the rest as comments that
say why not. What `uptier check` would refuse is not written as a policy."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapters.carry import Carried
from connector.render import many, one_line
from policies.language.document import Document, Problem, read
from policies.language.parse import parse
from policies.language.references import Known

BARE = re.compile(r"[A-Za-z0-9_-]+")
NAME = "import.toml"
WIDTH = 116
ALONE = '[service]\n[accounts.imported]\nadapter = "none"\n'
"""What stands for a config where there is none: policies are judged beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The file, and what came of each rule."""

    text: str
    rules: tuple[Carried, ...]

    @property
    def counts(self) -> str:
        """How many of what, in words."""
        fates = [rule.fate for rule in self.rules]
        parts = [f"{fates.count(fate)} {fate}" for fate in dict.fromkeys(fates)]
        return f"{many(len(self.rules), 'rule')}: {', '.join(parts)}"


def imported(
    rules: Iterable[Carried],
    source: str,
    account: str | None,
    documents: Sequence[Document],
    head: Sequence[str] = (),
    known: Known | None = None,
) -> Imported:
    """The policy file of these rules, for this account or for all. `documents` are the config beside which it will
    stand, none where there is none; `head` is said at its top. `known` are the names that the helpdesks know."""
    beside = documents or (read("uptier.toml", ALONE),)
    main = [each for each in beside if isinstance(each, Document)]
    taken = {str(table.get("name")) for each in main for table in _policies(each)}
    texts = {name for each in main for name in _table(each.data.get("templates"))}
    kept, blocks, said = list[Carried](), list[str](), dict[str, str]()
    for rule in rules:
        named = _named(rule, account, taken, texts, said)
        block = _written(named)
        if named.policy and (wrong := refused(_shared(named, said) + block, main, known)):
            why = f"`uptier check` refuses it: {wrong[0].message}"
            named = replace(named, policy={}, templates={}, why=why)
            block = _written(named)
        elif named.policy:
            taken.add(str(named.policy["name"]))
            texts |= named.templates.keys()
            said |= {text: name for name, text in named.templates.items()}
        kept.append(named)
        blocks.append(block)
    made = Imported(text="", rules=tuple(kept))
    top = _comment(f"Made by `uptier import` out of {source}. {made.counts}.", *head)
    return replace(made, text="\n".join([top, *blocks]))


def refused(text: str, beside: Sequence[Document], known: Known | None = None) -> list[Problem]:
    """The errors that `uptier check` would find in this file beside the config."""
    document = read(NAME, text)
    if isinstance(document, Problem):
        return [document]
    before = {problem for problem in parse(beside, known).problems if problem.severity == "error"}
    found = parse([*beside, document], known).problems
    return [problem for problem in found if problem.severity == "error" and problem not in before]


def _policies(document: Document) -> list[Mapping[str, Any]]:
    rows = document.data.get("policy")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _named(
    rule: Carried, account: str | None, taken: set[str], texts: set[str], said: Mapping[str, str]
) -> Carried:
    """The rule with names that nothing else has, for this account. A text that was `said` before has a name already."""
    if not rule.policy:
        return rule
    name = _free(str(rule.policy["name"])[:100], taken)
    renamed = {old: said.get(text) or _free(old[:100], texts) for old, text in rule.templates.items()}
    levels = [
        {
            key: renamed.get(value, value) if key in ("note", "reply") else value
            for key, value in level.items()
        }
        for level in rule.policy["level"]
    ]
    serves = {"accounts": [account]} if account else {}
    policy = {**rule.policy, "name": name, "level": levels}
    policy = {"name": policy.pop("name"), **serves, **policy}
    new = {renamed[old]: text for old, text in rule.templates.items() if text not in said}
    return replace(rule, policy=policy, templates=new)


def _shared(rule: Carried, said: Mapping[str, str]) -> str:
    """The texts that were said before, for judging a rule by itself."""
    return "".join(
        f"[templates.{_key(name)}]\nen = {_value(text)}\n\n"
        for text, name in said.items()
        if name not in rule.templates
    )


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def _written(rule: Carried) -> str:
    """The rule as a part of the file."""
    head = f'{rule.kind} "{rule.title}": {rule.fate}'
    if not rule.policy:
        why = [f"{head}{f': {rule.why}' if rule.why else ''}"]
        lines = [
            f"  {'NOT ' if line.why else ''}{line.text}{f' -- {line.why}' if line.why else ''}"
            for line in rule.lines
        ]
        return "\n".join([_comment(*why), *(_comment(line, indent="    ") for line in lines), ""])
    policy = {key: value for key, value in rule.policy.items() if key not in ("when", "unless", "level")}
    parts = [_comment(head, *rule.remarks)]
    for name, text in rule.templates.items():
        parts += [f"[templates.{_key(name)}]", f"en = {_value(text)}", ""]
    parts += ["[[policy]]", *_pairs(policy)]
    for key in ("when", "unless"):
        if key in rule.policy:
            parts += [f"[policy.{key}]", *_pairs(rule.policy[key])]
    for level in rule.policy["level"]:
        parts += ["[[policy.level]]", *_pairs(level)]
    return "\n".join([*parts, ""])


def _comment(*lines: str, indent: str = "") -> str:
    """Comment lines, long ones broken. Nothing that was written elsewhere can end a comment."""
    out = []
    for line in lines:
        words, row = one_line(line).split(" "), "#"
        for word in words:
            if len(row) + 1 + len(word) > WIDTH and row != "#":
                out.append(row)
                row = f"# {indent}{word}"
            else:
                row = f"{row} {word}"
        out.append(row.rstrip())
    return "\n".join(out)


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_value(value)}" for key, value in table.items()]


def _key(name: str) -> str:
    return name if BARE.fullmatch(name) else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(_pairs(value))} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)
