"""What runs Uptier elsewhere: the container files, the unit, and the page that tells what to watch."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import typer
import yaml  # apprise brings it

from connector.app.compose import ALL, roles_named
from connector.app.metrics import Metrics
from connector.app.supervision import Ailments
from connector.cli.main import app
from connector.clock import ClockSkew, ManualClock
from tests.connector.stores import fresh_store

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
UNIT = (ROOT / "packaging" / "uptier.service").read_text(encoding="utf-8")
METRIC = re.compile(r"\buptier_[a-z_]+\b")


def unknown_options(words: list[str]) -> list[str]:
    """The options of `uptier WORDS` that its command does not take. KeyError if there is no such command."""
    command: Any = typer.main.get_command(app)
    command = command.commands[words[0]]
    options = {option for parameter in command.params for option in parameter.opts}
    return [word for word in words if word.startswith("--") and word not in options]


def of_unit(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", UNIT, re.MULTILINE)


def exported(folder: Path) -> set[str]:
    """The names of our families, as Prometheus knows them."""
    with fresh_store("sqlite", folder) as store:
        metrics = Metrics(
            store,
            {},
            ManualClock(1_800_000_000).now,
            ClockSkew(),
            Ailments(lambda: 0),
            lambda _: (),
        )
        families = list(metrics.registry.collect())
    return {one.name + "_total" if one.type == "counter" else one.name for one in families}


def test_the_fleet_has_each_role_and_migrates_first() -> None:
    services = COMPOSE["services"]
    nodes = {name: one for name, one in services.items() if one.get("command", [""])[0] == "run"}
    roles = [roles_named(one["command"][one["command"].index("--roles") + 1]) for one in nodes.values()]
    assert frozenset().union(*roles) == ALL
    assert len(nodes) == 5
    for one in (*nodes.values(), services["migrate"]):
        assert unknown_options(one["command"]) == []
        assert one["read_only"]
        assert one["secrets"] == list(COMPOSE["secrets"])
    assert all(set(one["depends_on"]) == {"migrate"} for one in nodes.values())
    assert services["migrate"]["command"] == ["migrate"]


def test_a_secret_of_the_fleet_is_a_file_of_its_name() -> None:
    assert COMPOSE["x-uptier"]["environment"]["CREDENTIALS_DIRECTORY"] == "/run/secrets"
    assert {name: one["file"] for name, one in COMPOSE["secrets"].items()} == {
        name: f"./secrets/{name}" for name in COMPOSE["secrets"]
    }


def test_the_image_copies_what_is_there_and_is_not_root() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = [
        word for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE) for word in line.split()
    ]
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{name}" for name in copied} <= set(ignored)
    assert all((ROOT / name).exists() for name in copied)
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["10001:10001"]
    assert "/readyz" in text


PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)(?:\[[a-z,]*\])?==([^ ;\\]+)", re.MULTILINE)


def test_the_image_takes_its_base_as_an_argument_and_each_package_by_its_hash() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^(?:ARG|FROM) (.*)$", text, re.MULTILINE) == [
        "BASE=python:3.13-slim",
        "${BASE} AS build",
        "${BASE}",
    ]
    installs = [line for line in text.splitlines() if "pip install" in line]
    assert len(installs) == 3
    assert all("--no-deps" in line for line in installs)
    assert all("--require-hashes" in line or "--no-index /wheels/" in line for line in installs)


def test_the_locks_agree_and_hold_all_that_an_installation_needs() -> None:
    whole = dict(PIN.findall((ROOT / "requirements.lock").read_text(encoding="utf-8")))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = {
        "runtime": [
            *project["project"]["dependencies"],
            *project["project"]["optional-dependencies"]["postgres"],
        ],
        "build": project["dependency-groups"]["build"],
    }
    for name, wanted in needed.items():
        text = (ROOT / f"requirements.{name}.lock").read_text(encoding="utf-8")
        pins = dict(PIN.findall(text))
        assert pins.items() <= whole.items()
        assert {re.split(r"[\[<>=]", each)[0].lower() for each in wanted} <= pins.keys()
        assert text.count("--hash=sha256:") >= len(pins)
        assert "://" not in text
    assert "pytest" not in dict(PIN.findall((ROOT / "requirements.runtime.lock").read_text(encoding="utf-8")))


def test_the_unit_starts_a_command_that_exists() -> None:
    (line,) = of_unit("ExecStart")
    program, *words = shlex.split(line)
    assert program.endswith("/bin/uptier")
    assert unknown_options(words) == []
    assert of_unit("ExecReload") == ["/bin/kill -HUP $MAINPID"]


def test_the_unit_hands_over_the_secrets_of_the_example() -> None:
    example = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    handed = [line.split(":")[0] for line in of_unit("LoadCredential")]
    assert handed
    assert [name for name in handed if f'"secret:{name}"' not in example] == []


def test_every_alert_names_metrics_that_are_exported(tmp_path: Path) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (block,) = [each for each in blocks if each.startswith("groups:")]
    rules = [rule for group in yaml.safe_load(block)["groups"] for rule in group["rules"]]
    names = exported(tmp_path)
    assert len(rules) == 3
    for rule in rules:
        used = {re.sub("_bucket$", "", name) for name in METRIC.findall(rule["expr"])}
        assert used
        assert used <= names
        assert rule["annotations"]["summary"]


def test_every_metric_is_on_the_page_and_no_other(tmp_path: Path) -> None:
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `uptier_")]
    assert {name for row in rows for name in METRIC.findall(row)} == exported(tmp_path)
