"""What can be asked in a condition, and where each helpdesk keeps it: for a terminal, a program, or docs/."""

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.base import Vendor
from policies.language.fields import FIELDS, KINDS, Field, custom
from policies.language.operators import OPERATORS, fits


def every() -> tuple[Field, ...]:
    """All fields, a custom one last."""
    return (*FIELDS.values(), custom("NAME"))


def operators(field: Field) -> list[str]:
    """The operators that work on a field."""
    return [each.name for each in OPERATORS.values() if fits(each, field)]


def as_rows(vendors: Mapping[str, Vendor]) -> list[dict[str, Any]]:
    """Everything, for a program."""
    return [
        {
            "name": field.name,
            "kind": field.kind,
            "meaning": field.meaning,
            "choices": list(field.choices),
            "may_be_missing": field.nullable,
            "operators": operators(field),
            "helpdesks": {
                name: {"where": source.where, "lossy": source.lossy, "writing": source.writing}
                for name, vendor in vendors.items()
                if (source := vendor.sources.get(field.name)) is not None
            },
        }
        for field in every()
    ]


def as_text(vendors: Mapping[str, Vendor]) -> Iterator[str]:
    """For a terminal, a few lines for each field."""
    for row in as_rows(vendors):
        kind = "as the helpdesk has it" if row["kind"] == "custom" else KINDS[row["kind"]]
        missing = ", may be missing" if row["may_be_missing"] else ""
        yield f"{row['name']} ({kind}{missing}): {row['meaning']}"
        if row["choices"]:
            yield f"    values: {', '.join(row['choices'])}"
        yield f"    operators: {', '.join(row['operators'])}"
        for name, source in row["helpdesks"].items():
            lost = f"; {source['lossy']}" if source["lossy"] else ""
            yield f"    {name}: {source['where']}{lost}"


def as_markdown(vendors: Mapping[str, Vendor]) -> Iterator[str]:
    """The page docs/mapping.md."""
    yield "# Where each value comes from"
    yield ""
    yield "This page is printed by `uptier fields --markdown`. What a condition can ask is the same for every"
    yield "helpdesk; where the value stands, what is lost on the way and how a change is written, is not."
    for row in as_rows(vendors):
        yield ""
        yield f"## `{row['name']}`"
        yield ""
        missing = " It may be missing." if row["may_be_missing"] else ""
        values = f" One of {', '.join(row['choices'])}." if row["choices"] else ""
        yield f"{row['meaning']}{values}{missing} Operators: {', '.join(f'`{each}`' for each in row['operators'])}."
        yield ""
        yield "| helpdesk | where it stands | what is lost | how it is written |"
        yield "|---|---|---|---|"
        for name, source in row["helpdesks"].items():
            cells = (vendors[name].title, source["where"], source["lossy"], source["writing"])
            yield f"| {' | '.join(cell or '-' for cell in cells)} |"
