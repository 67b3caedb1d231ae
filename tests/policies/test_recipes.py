"""The recipes of docs/policies.md: each policy block, and the life below it, to the minute."""

import re
from pathlib import Path

import pytest

from policies.language.document import Document, read
from policies.policy_tests import play, read_tests, reported
from tests.policies.lives import calendars, rules

PAGE = Path(__file__).parents[2] / "docs" / "policies.md"
RECIPE = re.compile(r"### (\d+\. .+?)\n.*?```toml\n(.*?)```.*?```life\n(.*?)```", re.DOTALL)
RECIPES = RECIPE.findall(PAGE.read_text(encoding="utf-8"))
TEST = """
timezone = "UTC"
[ticket]
priority = "high"
group = "Tier 1"
[groups]
"Tier 1" = ["ann@acme.test"]
"Tier 2" = ["ben@acme.test", "cat@acme.test"]
Duty = ["cat@acme.test", "dan@acme.test"]
[[test]]
name = "recipe"
"""


def test_there_are_ten() -> None:
    assert len(RECIPES) == 10


@pytest.mark.parametrize(("name", "policy", "told"), RECIPES, ids=[each[0] for each in RECIPES])
def test_a_recipe_does_what_the_page_says(name: str, policy: str, told: str) -> None:
    policies = rules(policy)
    hours = max(int(line.partition(":")[0]) for line in told.splitlines()) + 2
    document = read(f"{name}.test.toml", f'{TEST}life = """\n{told}{hours}:00 nothing more fires"""')
    assert isinstance(document, Document)
    tests, problems = read_tests(document, policies, ("acme", "other"))
    assert problems == ()
    (result,) = [play(each, policies, calendars(policies)) for each in tests]
    assert result.passed, "\n".join(reported(result))
    assert result.found
