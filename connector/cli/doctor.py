"""`uptier doctor`: all that `check` finds, and what the helpdesks, channels, clocks, database and addresses say."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.common import (
    CONFIG,
    NEEDS_HUMAN,
    SERVICE,
    WRONG,
    AsRows,
    Config,
    Listing,
    complete_account,
    echo,
    give_up,
    loaded_with_directory,
    named,
    put_rows,
    secrets_beside_trouble,
)

if TYPE_CHECKING:
    from adapters.base import Finding
    from connector.app.doctor import Examined
    from connector.config.settings import Loaded, Settings
    from policies.language.document import Problem

app = typer.Typer()


@app.command(rich_help_panel=SERVICE)
def doctor(
    account: Annotated[
        str | None,
        typer.Argument(
            metavar="[ACCOUNT]",
            help="Only this account; all, channels and database without.",
            autocompletion=complete_account,
        ),
    ] = None,
    config: Config = CONFIG,
    how: AsRows = "table",
) -> None:
    """Ask helpdesks, channels, clocks, the database and the outside address what will not work, and how to mend it.

    It includes what `check` finds. Of a config with errors, what can be read is asked all the same."""
    from datetime import datetime

    from connector.app.doctor import examine
    from connector.config.advice import advice, weak_secrets
    from connector.config.settings import readable_part, without_errors

    loaded = loaded_with_directory(config, names=False)
    if not loaded.documents:
        for problem in loaded.problems:
            echo(str(problem), err=True)
        give_up(f"{config} cannot be read")
    secrets = secrets_beside_trouble()
    today = datetime.now().astimezone().date()
    problems = [*loaded.problems, *weak_secrets(loaded, secrets), *advice(loaded, today)]
    settings = loaded.settings or readable_part(loaded.documents[0], config.parent)
    policies, left_out = (loaded.policies, ()) if loaded.policies else without_errors(loaded)
    if account is not None:
        known = loaded.documents[0].data.get("accounts")
        named("account", account, known if isinstance(known, dict) else ())
    found: list[tuple[str, Finding]] = []
    if settings is not None and (account is None or account in settings.accounts):
        seen = examine(settings, policies, secrets, account)
        found = list(seen.findings)
        problems += warnings_about(config, loaded, seen)
    left = [f"{UNSEEN} {text}" for text in unasked(loaded, settings, left_out)]
    rows: list[tuple[str, ...]] = [
        (each.severity, f"{each.file}:{each.line}", each.code, each.message) for each in problems
    ]
    rows += [(state(one), about, one.what, one.text) for about, one in found]
    lines = [
        f"{'    ' if place else ''}{line}"
        for about, one in found
        for place, line in enumerate(
            f"{mark(one)} {about}: {one.what}: {'not seen: ' if one.unseen else ''}{one.text}".split("\n")
        )
    ]
    put_rows(
        Listing(
            title="What uptier doctor found",
            head=("state", "about", "what", "finding"),
            rows=rows,
            value={
                "problems": [as_row(each) for each in problems],
                "findings": [of(*each) for each in found],
            },
            said=tuple(left),
            lines=(*map(str, problems), *lines, *left),
        ),
        how,
    )
    if any(each.severity == "error" for each in problems):
        raise typer.Exit(WRONG)
    if any(mark(finding) == "NOT" for _, finding in found):
        raise typer.Exit(NEEDS_HUMAN)


UNSEEN = "???"


def mark(finding: "Finding") -> str:
    """How a finding's line begins."""
    if finding.ok:
        return "ok "
    return UNSEEN if finding.unseen else "tip" if finding.hint else "NOT"


def state(finding: "Finding") -> str:
    """How a finding is, in words."""
    return {"ok ": "ok", "tip": "tip", "NOT": "not ok", UNSEEN: "not seen"}[mark(finding)]


def of(about: str, finding: "Finding") -> dict[str, object]:
    """A finding for a program."""
    return {"about": about, "what": finding.what, "state": state(finding), "text": finding.text}


def as_row(problem: "Problem") -> dict[str, object]:
    """A problem for a program."""
    return {name: getattr(problem, name) for name in ("file", "line", "code", "severity", "message")}


def warnings_about(config: Path, loaded: "Loaded", seen: "Examined") -> "list[Problem]":
    """What only the directories tell of the files, such as a strategy on a group with nobody in it. Names that a
    helpdesk does not have are findings."""
    from connector.config.settings import load
    from policies.language.references import Known, KnownAccount

    if loaded.policies is None:
        return []
    known = {name: KnownAccount.of(one) for name, one in seen.directories.items()}
    again = load(config, Known(accounts=known))
    return [each for each in again.problems if each.severity == "warning" and each not in loaded.problems]


def unasked(loaded: "Loaded", settings: "Settings | None", left_out: tuple[str, ...]) -> "list[str]":
    """What could not be asked about, because the files have errors there."""
    told = loaded.documents[0].data.get("accounts")
    asked = settings.accounts if settings else {}
    names = [name for name in (told if isinstance(told, dict) else ()) if name not in asked]
    return [
        *(f"{name}: not seen: its table has errors; correct them first" for name in names),
        *(f"policies: not seen: {each} has errors; correct them first" for each in left_out),
    ]
