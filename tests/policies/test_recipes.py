"""The recipes of docs/recipes.md: each policy is right, its tests pass as they stand there, and they bite."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import tomlkit

from connector.config.values import vendors
from policies.language.document import Document, read
from policies.language.parse import parse
from policies.language.policy import PolicySet
from policies.policy_tests import PolicyTest, Result, play, read_tests, reported
from tests.connector.test_cli import uptier
from tests.policies.lives import calendars

PAGE = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text(encoding="utf-8")
HEAD, *PARTS = re.split(r"^## (?=\d+\. )", PAGE.partition("\n## What cannot")[0], flags=re.MULTILINE)
CONFIG = re.findall(r"```toml\n(.*?)```", HEAD, re.DOTALL)[0]
SHAPE = re.compile(r"(\d+)\. (.+)\n\n(.+?)\n\n```toml\n(.*?)```\n\n```toml\n(.*?)```\n\n(.+)", re.DOTALL)


class Recipe(NamedTuple):
    number: str
    title: str
    situation: str
    policy: str
    tests: str
    limit: str


def recipes() -> list[Recipe]:
    found = [SHAPE.fullmatch(part.strip()) for part in PARTS]
    assert all(found), [part for part, match in zip(PARTS, found, strict=True) if match is None]
    return [Recipe(*match.groups()) for match in found if match is not None]


RECIPES = recipes()
each_recipe = pytest.mark.parametrize("recipe", RECIPES, ids=[each.title for each in RECIPES])


@cache
def rules(policy: str) -> PolicySet | None:
    """The recipe's policies beside the lines that all need; None where `check` would warn."""
    main, own = read("uptier.toml", CONFIG), read("recipe.toml", policy)
    assert isinstance(main, Document)
    assert isinstance(own, Document)
    parsed = parse([main, own])
    return None if parsed.problems else parsed.policies


def lives_in(recipe: Recipe, policies: PolicySet) -> tuple[PolicyTest, ...]:
    document = read("recipe.test.toml", recipe.tests)
    assert isinstance(document, Document)
    tests, problems = read_tests(document, policies, ("acme",))
    assert problems == ()
    return tests


def played(recipe: Recipe, policies: PolicySet) -> list[Result]:
    return [play(each, policies, calendars(policies)) for each in lives_in(recipe, policies)]


def is_missed(recipe: Recipe, policy: str) -> bool:
    """Whether a test fails by this text, or `check` warns of it."""
    policies = rules(policy)
    return policies is None or any(not each.passed for each in played(recipe, policies))


def test_there_are_twenty() -> None:
    assert [int(each.number) for each in RECIPES] == list(range(1, 21))


@each_recipe
def test_a_recipe_says_its_situation_and_its_limit_in_a_sentence(recipe: Recipe) -> None:
    assert len(re.findall(r"\.(?= |$)", " ".join(recipe.situation.split()))) == 1
    assert len(re.findall(r"\.(?= |$)", " ".join(recipe.limit.split()))) == 1
    assert recipe.limit.startswith("It does not ")


@each_recipe
def test_a_recipe_fires_where_its_tests_say_so_and_nowhere_else(recipe: Recipe) -> None:
    policies = rules(recipe.policy)
    assert policies is not None
    results = played(recipe, policies)
    assert [line for each in results if not each.passed for line in reported(each)] == []
    levels = {(one.policy, one.level) for each in results for _, one in each.found}
    assert levels == {(policy.name, level.name) for policy in policies.policies for level in policy.levels}
    longest = max(len(each.found) for each in results)
    assert any(len(each.found) < longest for each in results)  # a life in which it does not fire, or stops


def without_a_line(policy: str) -> list[tuple[str, str]]:
    """The recipe with each line of its conditions left out, and which."""
    made = []
    for number, one in enumerate(tomllib.loads(policy)["policy"]):
        lines = [("when", key) for key in one["when"] if key != "status"]
        lines += [("unless", key) for key in one.get("unless", ())] + [
            ("stop_on", each) for each in one.get("stop_on", ())
        ]
        for place, key in lines:
            whole: Any = tomllib.loads(policy)
            changed = whole["policy"][number]
            if place == "stop_on":
                changed[place].remove(key)
                if not changed[place]:
                    del changed[place]
            else:
                del changed[place][key]
                if not changed[place]:
                    del changed[place]
            made.append((f"{one['name']}: {place} {key}", tomlkit.dumps(whole)))
    return made


@each_recipe
def test_the_lives_in_a_recipe_miss_each_line_of_its_policy(recipe: Recipe) -> None:
    left_out = without_a_line(recipe.policy)
    assert [line for line, policy in left_out if not is_missed(recipe, policy)] == []


NOBODY_TELLS = [
    (vendor.title, name)
    for vendor in vendors().values()
    for name, source in vendor.sources.items()
    if source.where.startswith(("not told", "not read"))
]


@each_recipe
def test_a_recipe_names_the_helpdesks_that_do_not_tell_what_it_asks(recipe: Recipe) -> None:
    assert len(NOBODY_TELLS) > 5
    asked = set(re.findall(r"[\w.]+", recipe.policy))
    assert [
        (title, name) for title, name in NOBODY_TELLS if name in asked and title not in recipe.limit
    ] == []


def test_all_recipes_stand_beside_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "uptier.toml").write_text(CONFIG, encoding="utf-8")
    folder = tmp_path / "policies.d"
    folder.mkdir()
    for each in RECIPES:
        (folder / f"{each.number}.toml").write_text(each.policy, encoding="utf-8")
        (folder / f"{each.number}.test.toml").write_text(each.tests, encoding="utf-8")
    checked = uptier("check")
    assert checked.exit_code == 0, checked.output
    done = uptier("test")
    assert done.exit_code == 0, done.output
