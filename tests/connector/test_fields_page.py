"""What can be asked, and where each helpdesk keeps it: complete for every installed helpdesk."""

from pathlib import Path

import pytest

from connector.config.values import vendors
from connector.fields_page import as_markdown, as_rows, as_text, every, words

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", vendors())
def test_every_field_has_its_source(name: str) -> None:
    assert set(vendors()[name].sources) == {field.name for field in every()}


def test_the_pages_in_docs_are_what_the_command_prints() -> None:
    assert (DOCS / "mapping.md").read_text(encoding="utf-8") == "\n".join(as_markdown(vendors())) + "\n"
    assert (DOCS / "words.md").read_text(encoding="utf-8") == "\n".join(words()) + "\n"


def test_every_field_is_listed_with_values_and_operators() -> None:
    text = "\n".join(as_text(vendors()))
    assert "priority (choice, may be missing)" in text
    assert "values: low, normal, high, urgent" in text
    rows = {row["name"]: row for row in as_rows(vendors())}
    assert rows["tags"]["operators"] == ["has", "has_all", "lacks"]
    assert rows["priority"]["helpdesks"]["zendesk"]["where"] == "ticket.priority"
