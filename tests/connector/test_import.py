"""`uptier import`: the file passes `uptier check`, each policy in it does what its rule did, all else says why not."""

import json
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters.carry import Carried, RuleLine
from adapters.simulation.server import serve
from adapters.zendesk.simulator import create
from adapters.zendesk.simulator.state import Zendesk
from connector.cli.main import app
from connector.config.importing import imported, refused
from policies.language.document import Document, read
from tests.connector.beside import CONFIG, LADDER, SECRETS, furnish
from tests.policies.lives import HEAD, Life

A_DAY = {"field": "NEW", "operator": "greater_than", "value": "24"}
NOT_DONE = {"field": "current_tags", "operator": "not_includes", "value": "old"}
OLD = {"field": "current_tags", "value": "old"}
AUTOMATIONS = [
    {
        "title": "A day old",
        "conditions": {
            "all": [A_DAY, NOT_DONE, {"field": "status", "operator": "less_than", "value": "solved"}]
        },
        "actions": [OLD, {"field": "group_id", "value": "{group}"}],
    },
    {
        "title": "Close",
        "conditions": {"all": [{"field": "SOLVED", "operator": "greater_than", "value": "96"}]},
        "actions": [{"field": "status", "value": "closed"}],
    },
]


def uptier(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def automations(group: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(json.dumps(AUTOMATIONS).replace("{group}", group))
    return found


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Zendesk]:
    sim = create(time.time)
    one: Zendesk = sim.state.zendesk
    furnish(one)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies.d").mkdir()
    with serve(sim) as url:
        (tmp_path / "uptier.toml").write_text(CONFIG.format(url=url, service="") + LADDER, encoding="utf-8")
        yield one


def test_an_account_is_only_read_and_the_file_passes_check(desk: Zendesk, tmp_path: Path) -> None:
    group = next(str(number) for number, row in desk.people.groups.items() if row["name"] == "Tier 2")
    desk.seed(automations=automations(group), triggers=[{"title": "Tell", "actions": [OLD]}])
    done = uptier("import", "zendesk-automations", "acme", "-o", "policies.d/zendesk.toml")
    assert done.exit_code == 0, done.output
    assert "3 rules: 1 carried over, 2 not carried over" in done.output
    assert 'not carried over: automation "Close"' in done.output
    assert "Uptier never changes a status" in done.output
    asked = [row for row in desk.log if row.path != "/oauth/tokens"]
    assert {row.method for row in asked} == {"GET"}
    assert f"read with {len(asked)} requests" in done.output
    checked = uptier("check")
    assert checked.exit_code == 0, checked.output
    (policy,) = tomllib.loads((tmp_path / "policies.d/zendesk.toml").read_text(encoding="utf-8"))["policy"]
    assert policy["accounts"] == ["acme"]
    assert policy["mode"] == "observe"
    assert policy["level"][0]["assign"] == {"group": "Tier 2"}


def test_a_file_that_is_there_is_not_written_over(desk: Zendesk, tmp_path: Path) -> None:
    (tmp_path / "rules.json").write_text(json.dumps({"automations": automations("1")}), encoding="utf-8")
    (tmp_path / "mine.toml").write_text("# mine", encoding="utf-8")
    done = uptier("import", "zendesk-automations", "rules.json", "-o", "mine.toml")
    assert done.exit_code == 2
    assert "is there already" in done.output
    assert (tmp_path / "mine.toml").read_text(encoding="utf-8") == "# mine"


def test_without_a_config_a_file_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rules = {"automations": automations("12"), "groups": [{"id": 12, "name": "Tier 2"}]}
    (tmp_path / "rules.json").write_text(json.dumps(rules), encoding="utf-8")
    done = uptier("import", "zendesk-automations", "rules.json")
    assert done.exit_code == 0, done.output
    (policy,) = tomllib.loads(done.stdout)["policy"]
    assert policy["name"] == "A day old"
    assert "accounts" not in policy


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "no JSON"),
        ("[]", "holds no automations"),
        ('{"tickets": []}', "holds no automations"),
        (None, "read"),
    ],
)
def test_a_file_that_is_none_says_so(text: str | None, told: str, tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    done = uptier("import", "zendesk-automations", str(path))
    assert done.exit_code == 2
    assert told in done.output


def test_an_account_of_another_helpdesk_has_no_such_rules(
    desk: Zendesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "uptier.toml"
    auth = 'auth = { kind = "key", key = "secret:k" }'
    more = f'[accounts.fresh]\nadapter = "freshdesk"\nurl = "http://127.0.0.1:1"\n{auth}\n'
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    monkeypatch.setenv("UPTIER_SECRET_K", "k" * 20)
    done = uptier("import", "zendesk-automations", "fresh")
    assert done.exit_code == 2
    assert "tells no rules of its own" in done.output


def test_who_is_no_admin_is_told_what_is_missing(desk: Zendesk) -> None:
    desk.people.user("Uptier")["role"] = "agent"
    done = uptier("import", "zendesk-automations", "acme")
    assert done.exit_code == 1
    assert "403" in done.output


def test_a_carried_rule_does_what_it_did() -> None:
    """Played: a ticket that is a day old goes to Tier 2 once, with the tag; one that has the tag does not."""
    from adapters.carry import Names
    from adapters.zendesk.business_rules import carry

    rules = carry({"automations": automations("12"), "groups": [{"id": 12, "name": "Tier 2"}]}, Names())
    text = imported(rules, "a test", None, ()).text.replace('mode = "observe"\n', "")
    life = Life(text).customer(0)
    life.look(60 * 24 - 1)
    assert life.fired("A day old") == []
    life.look(60 * 24)
    assert life.fired("A day old") == ["After 24 hours"]
    assert life.ticket.group is not None
    assert (life.ticket.group.name, "old" in life.ticket.tags) == ("Tier 2", True)
    life.look_through(60 * 72, every=600)
    assert life.fired("A day old") == ["After 24 hours"]
    tagged = Life(text).with_fields(tags=frozenset({"old"})).customer(0)
    tagged.look(60 * 30)
    assert tagged.fired("A day old") == []


def test_a_chain_asks_one_after_the_other_until_somebody_takes_it() -> None:
    from adapters.oncall import Page, carry

    rules = [(30, "Ann"), (30, "Ben")]
    rows = [
        {"escalation_delay_in_minutes": delay, "targets": [{"type": "user", "id": name, "summary": name}]}
        for delay, name in rules
    ]
    (chain,) = carry([{"id": "P", "name": "Ops", "escalation_rules": rows}], Page())
    text = imported([chain], "a test", None, ()).text.replace('mode = "observe"\n', "")
    life = Life(text).with_fields(tags=frozenset({"page"})).customer(0)
    life.look(1)
    life.look(29)
    assert life.fired("Ops") == ["Step 1"]
    life.look(31)
    assert life.fired("Ops") == ["Step 1", "Step 2"]
    taken = Life(text).with_fields(tags=frozenset({"page"})).customer(0)
    taken.look(1)
    taken.agent(5)
    taken.look_through(120, every=10)
    assert taken.fired("Ops") == ["Step 1"]


def one(title: str, **more: Any) -> Carried:
    policy = {"name": title, "clock": "created", "when": {"priority": "urgent"}}
    level = {"name": "L", "after": "1h", "tags": ["x"], **more.pop("level", {})}
    return Carried(kind="rule", title=title, lines=(), policy={**policy, "level": [level]}, **more)


def test_names_are_made_unique_and_a_text_is_written_once() -> None:
    note = {"level": {"note": "page"}, "templates": {"page": "Look."}}
    beside = read("uptier.toml", HEAD + LADDER.replace('name = "waits"', 'name = "Same"'))
    assert isinstance(beside, Document)
    made = imported([one("Same", **note), one("Same", **note)], "a test", None, [beside])
    found = tomllib.loads(made.text)
    assert [each["name"] for each in found["policy"]] == ["Same (2)", "Same (3)"]
    assert found["templates"] == {"page": {"en": "Look."}}
    assert refused(made.text, [beside]) == []


def test_what_check_would_refuse_becomes_a_comment_that_says_why() -> None:
    made = imported([one("Odd", level={"assign": {"agent": "on_call"}, "after": "soon"})], "a test", None, ())
    (rule,) = made.rules
    assert rule.fate == "not carried over"
    assert "`uptier check` refuses it" in made.text
    assert tomllib.loads(made.text) == {}


@pytest.mark.parametrize(
    "title", ['x"\n[[policy]]\nname = "evil"', "x\r[service]", "tab\there \u2028 \x7f \x1b[31m", "ünï 'q'"]
)
def test_nothing_that_was_written_elsewhere_breaks_out_of_its_place(title: str) -> None:
    lines = (RuleLine(text=title, why=title),)
    refusals = Carried(kind="rule", title=title, lines=lines, why=title)
    made = imported([one(title), refusals], title, None, ())
    found = tomllib.loads(made.text)
    assert found.keys() == {"policy"}
    assert [each["name"] for each in found["policy"]] == [title]


def test_oncall_by_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    target = {"type": "schedule_reference", "id": "S", "summary": "Primary"}
    rows = [{"escalation_delay_in_minutes": 5, "targets": [target]}]
    rules = {"escalation_policies": [{"id": "P", "name": "Ops", "escalation_rules": rows}]}
    (tmp_path / "pd.json").write_text(json.dumps(rules), encoding="utf-8")
    without = uptier("import", "oncall", "pd.json")
    assert without.exit_code == 0
    assert '--group "Primary=GROUP"' in without.output
    done = uptier("import", "oncall", "pd.json", "--group", "Primary=Duty", "--tag", "sev1")
    (policy,) = tomllib.loads(done.stdout)["policy"]
    assert policy["level"][0]["owner"] == "on_call(Duty)"
    assert policy["when"]["tags"] == {"has": "sev1"}
    assert uptier("import", "oncall", "pd.json", "--group", "Primary").exit_code == 2


def test_yaml_is_read_where_the_name_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = """
escalation_policies:
- name: Ops
  escalation_rules:
  - escalation_delay_in_minutes: 5
    targets: [{type: user, id: U, summary: Ann}]
"""
    (tmp_path / "pd.yaml").write_text(text, encoding="utf-8")
    done = uptier("import", "oncall", "pd.yaml")
    assert done.exit_code == 0, done.output
    assert tomllib.loads(done.stdout)["policy"][0]["level"][0]["owner"] == "Ann"
    (tmp_path / "bad.yml").write_text("a: [", encoding="utf-8")
    bad = uptier("import", "oncall", "bad.yml")
    assert bad.exit_code == 2
    assert "no YAML" in bad.output
