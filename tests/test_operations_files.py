"""What runs Uptier elsewhere: the container files, the unit, and the page that tells what to watch."""

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml  # apprise brings it

from connector.app.compose import ALL, roles_named
from connector.app.metrics import Metrics
from connector.app.supervision import Ailments
from connector.cli.main import app
from connector.clock import ClockSkew, ManualClock
from connector.config.settings import load
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


PACKAGING = ROOT / "packaging"
RULES = PACKAGING / "prometheus" / "uptier.rules.yml"


def metrics_in(expression: str) -> set[str]:
    """The families that an expression asks for."""
    return {re.sub("_bucket$", "", name) for name in METRIC.findall(expression)}


def test_every_alert_names_metrics_that_are_exported(tmp_path: Path) -> None:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    names = exported(tmp_path)
    assert {"UptierNewsWaits", "UptierLate", "UptierDoesNotWrite", "UptierGone"} <= {
        rule["alert"] for rule in rules
    }
    for rule in rules:
        used = metrics_in(rule["expr"])
        assert used
        assert used <= names
        assert rule["annotations"]["summary"]
    assert "packaging/prometheus/uptier.rules.yml" in PAGE


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_takes_the_alerts() -> None:
    done = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_dashboard_shows_metrics_that_are_exported_and_leaves_none_out(tmp_path: Path) -> None:
    made = json.loads((PACKAGING / "grafana" / "uptier.json").read_text(encoding="utf-8"))
    panels = made["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places)
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    assert set().union(*map(metrics_in, asked)) == exported(tmp_path)
    assert "packaging/grafana/uptier.json" in PAGE


def manifests() -> list[dict[str, Any]]:
    files = sorted((PACKAGING / "kubernetes").glob("*.yaml"))
    return [one for file in files for one in yaml.safe_load_all(file.read_text(encoding="utf-8"))]


def test_the_pods_have_each_role_write_nowhere_and_are_nobody(tmp_path: Path) -> None:
    pods = [one["spec"]["template"]["spec"] for one in manifests() if one["kind"] in ("Deployment", "Job")]
    roles, commands = set[str](), set[str]()
    (maps,) = [one for one in manifests() if one["kind"] == "ConfigMap"]
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["automountServiceAccountToken"] is False
        (box,) = pod["containers"]
        assert unknown_options(box["args"]) == []
        assert box["securityContext"]["readOnlyRootFilesystem"]
        assert box["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        mounted = {each["name"]: each["mountPath"] for each in box["volumeMounts"]}
        assert mounted.keys() == {each["name"] for each in pod["volumes"]}
        (variable,) = box["env"]
        assert variable == {"name": "CREDENTIALS_DIRECTORY", "value": mounted["secrets"]}
        commands.add(box["args"][0])
        if box["args"][0] == "run":
            roles |= roles_named(box["args"][box["args"].index("--roles") + 1])
            assert {each["containerPort"] for each in box["ports"]} == {8080, 9464}
            assert box["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert commands == {"migrate", "run"}
    assert roles == ALL
    for name, text in maps["data"].items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    loaded = load(tmp_path / "uptier.toml")
    assert [str(each) for each in loaded.problems if each.severity == "error"] == []
    assert loaded.policies is not None


def test_each_service_and_budget_chooses_pods_that_are_there() -> None:
    every = manifests()
    labels = [one["spec"]["template"]["metadata"]["labels"] for one in every if one["kind"] == "Deployment"]
    for one in every:
        if one["kind"] in ("Service", "PodDisruptionBudget"):
            chosen = one["spec"]["selector"]
            assert chosen.get("matchLabels", chosen) in labels, one["metadata"]["name"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_unit_and_finds_it_closed(tmp_path: Path) -> None:
    """Its program is not installed here, so it is asked for one that is."""
    unit = tmp_path / "uptier.service"
    unit.write_text(re.sub(r"/opt/uptier/bin/uptier", "/bin/true", UNIT), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", unit],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-500:]


def test_a_command_by_hand_under_the_unit_has_the_same_secrets(tmp_path: Path) -> None:
    """The wrapper hands systemd-run what the unit says; here a program of that name shows it."""
    (tmp_path / "bin").mkdir()
    shown = tmp_path / "bin" / "systemd-run"
    shown.write_text('#!/bin/sh\nfor each in "$@"; do echo "$each"; done\n', encoding="utf-8")
    shown.chmod(0o755)
    environment = {
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        "UPTIER_UNIT": str(PACKAGING / "uptier.service"),
    }
    done = subprocess.run(
        [PACKAGING / "uptier-once", "explain", "acme/4711", "--set", "subject=two words"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    words = done.stdout.splitlines()
    for line in of_unit("LoadCredential"):
        assert f"--property=LoadCredential={line}" in words
    for key in ("User", "Group", "StateDirectory", "WorkingDirectory", "UMask", "ProtectSystem"):
        (value,) = of_unit(key)
        assert f"--property={key}={value}" in words
    command = words.index("--") + 1
    assert words[command:] == [
        "/opt/uptier/bin/uptier", "--config", "/etc/uptier/uptier.toml",
        "explain", "acme/4711", "--set", "subject=two words",
    ]  # fmt: skip


def test_every_metric_is_on_the_page_and_no_other(tmp_path: Path) -> None:
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `uptier_")]
    assert {name for row in rows for name in METRIC.findall(row)} == exported(tmp_path)
