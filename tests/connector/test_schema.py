"""The JSON Schema: what `check` accepts it accepts, and what an editor can see to be wrong it refuses."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connector.fields_page import whole
from policies.language.fields import FIELDS
from policies.language.operators import OPERATORS
from tests.policies.lives import HEAD, LADDER

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```toml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TEXTS = [
    (ROOT / "config.example.toml").read_text(encoding="utf-8"),
    *BLOCK.findall((ROOT / "docs" / "policies.md").read_text(encoding="utf-8")),
    LADDER,
]


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = whole()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def errors(validator: Draft202012Validator, text: str) -> list[str]:
    return [error.message for error in validator.iter_errors(tomllib.loads(text))]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_what_the_documents_show_is_valid(validator: Draft202012Validator, text: str) -> None:
    assert errors(validator, text) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('clock = "customer_waiting"', 'clock = "customer_wating"'),
        ('after = "30m"', 'after = "soon"'),
        ('after = "30m"', 'afetr = "30m"'),
        ('status = ["new", "open"]', 'status = ["newish"]'),
        ('status = ["new", "open"]', "tags = { contains = 1 }"),
        ('status = ["new", "open"]', "replies = { has = 3 }"),
        ('stop_on = ["agent_reply", "acknowledged"]', 'stop_on = ["replied"]'),
        ('priority = { at_least = "urgent" }', 'priority = "urgent"'),
    ],
)
def test_a_slip_is_seen(validator: Draft202012Validator, right: str, wrong: str) -> None:
    assert right in LADDER
    assert errors(validator, LADDER.replace(right, wrong)) != []


def test_nested_and_dotted_fields_are_both_valid(validator: Draft202012Validator) -> None:
    for line in ("requester.vip = true", "requester = { vip = true }", '"requester.vip" = true'):
        assert errors(validator, LADDER.replace('status = ["new", "open"]', line)) == []


def test_every_field_and_operator_has_a_sentence() -> None:
    text = str(whole())
    assert [each.name for each in FIELDS.values() if each.meaning not in text] == []
    assert [each.name for each in OPERATORS.values() if each.meaning not in text] == []


def sentences(schema: Any) -> list[str]:
    """The keys of policies and levels that lack a description."""
    return [key for key, inner in schema["properties"].items() if not inner.get("description")]


def test_every_key_of_a_policy_and_a_level_has_a_sentence() -> None:
    policy = whole()["properties"]["policy"]["items"]
    assert sentences(policy) == []
    assert sentences(policy["properties"]["level"]["items"]) == []


def test_head_of_the_tests_is_valid(validator: Draft202012Validator) -> None:
    faults = errors(validator, HEAD)
    assert len(faults) == 6, "only the accounts lack their keys"
    assert all("required" in fault for fault in faults)
