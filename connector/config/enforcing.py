"""Which lines of the config files say that a policy is enforced, or only observes, and writing them, with every comment
where it was."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit

from connector.config.settings import Loaded, Settings
from policies.language.document import Document, listed
from policies.language.policy import Policy, PolicySet
from policies.language.vocabulary import Mode


class CannotSetMode(Exception):
    """No lines of the files would set this mode and nothing else; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeLine:
    """A `mode` that is to stand in a table of a file; `where` is the table as it is written."""

    file: Path
    table: tuple[str | int, ...]
    where: str
    mode: Mode

    def __str__(self) -> str:
        return f'{self.file}: {self.where} mode = "{self.mode}"'


def meant(
    loaded: Loaded, name: str, account: str | None
) -> tuple[Settings, PolicySet, Policy, tuple[str, ...]]:
    """The config, the policy of this name, and those of the accounts that it serves. Raises CannotSetMode."""
    settings, policies = loaded.settings, loaded.policies
    if settings is None or policies is None:
        raise CannotSetMode("the config has errors; `uptier check` lists them")
    policy = next(each for each in policies.policies if each.name == name)
    wanted = tuple(
        one for one in settings.accounts if account in (None, one) and policy in policies.serving(one)
    )
    if not wanted:
        raise CannotSetMode(f'policy "{name}" does not serve {account or "any account"}')
    return settings, policies, policy, wanted


def mode_lines(loaded: Loaded, name: str, account: str | None) -> tuple[ModeLine, ...]:
    """The lines that enforce the policy on the account, or on all that it serves, and leave everything else in the mode
    it is in; none where it is enforced already. Raises CannotSetMode."""
    settings, policies, policy, wanted = meant(loaded, name, account)
    every, main = tuple(settings.accounts), loaded.documents[0]
    if all(policies.mode(policy, one) == "enforce" for one in wanted):
        return ()
    file = Path(main.name)
    modes: dict[str, Mode | None] = {one: settings.accounts[one].mode for one in every}
    own: dict[str, Mode | None] = {each.name: each.mode for each in policies.policies}
    lines = []
    if settings.service.mode == "observe":
        lines.append(ModeLine(file=file, table=("service",), where="[service]", mode="enforce"))
    enforced = [
        (each, one)
        for one in every
        for each in policies.serving(one)
        if policies.mode(each, one) == "enforce"
    ]
    for one in every:
        idle = not any(there == one for _, there in enforced)
        mode: Mode | None = "enforce" if one in wanted and modes[one] == "observe" else None
        mode = "observe" if one not in wanted and idle and modes[one] is None else mode
        if mode:
            lines.append(ModeLine(file=file, table=("accounts", one), where=f"[accounts.{one}]", mode=mode))
            modes[one] = mode
    for each in policies.policies:
        idle = not any(which is each for which, _ in enforced)
        mode = "enforce" if each is policy and each.mode != "enforce" else None
        mode = "observe" if each is not policy and idle and each.mode is None else mode
        if mode:
            lines.append(in_its_file(loaded.documents, each, mode))
            own[each.name] = mode
    after = {
        (each.name, one)
        for one in every
        for each in policies.serving(one)
        if "observe" not in (own[each.name], modes[one])
    }
    others = after - {(each.name, one) for each, one in enforced} - {(name, one) for one in wanted}
    if others:
        said = listed([f'"{which}" on {there}' for which, there in sorted(others)], "and")
        raise CannotSetMode(
            f"{said} would be enforced with it: modes stand at service, account and policy, and observe at any "
            "of them wins. Split the policy, or enforce those too"
        )
    return tuple(lines)


def observe_lines(loaded: Loaded, name: str, account: str | None) -> tuple[ModeLine, ...]:
    """The line by which the policy only observes on the account, or on all that it serves, and everything else stays in
    the mode it is in; none where it observes already. Raises CannotSetMode."""
    settings, policies, policy, wanted = meant(loaded, name, account)
    enforced = {
        one: [each.name for each in policies.serving(one) if policies.mode(each, one) == "enforce"]
        for one in settings.accounts
    }
    there = [one for one in wanted if name in enforced[one]]
    if not there:
        return ()
    if not any(name in names for one, names in enforced.items() if one not in there):
        return (in_its_file(loaded.documents, policy, "observe"),)
    others = [f'"{each}" on {one}' for one in there for each in enforced[one] if each != name]
    if others:
        raise CannotSetMode(
            f"{listed(others, 'and')} would only observe with it: modes stand at service, account and policy, and "
            f"observe at any of them wins. Leave {listed(there, 'and')} out of its `accounts`, or split the policy"
        )
    file = Path(loaded.documents[0].name)
    return tuple(
        ModeLine(file=file, table=("accounts", one), where=f"[accounts.{one}]", mode="observe")
        for one in there
    )


def in_its_file(documents: tuple[Document, ...], policy: Policy, mode: Mode) -> ModeLine:
    """The line in the policy's own table."""
    for document in documents:
        for place, table in enumerate(document.data.get("policy", ())):
            if table.get("name") == policy.name:
                if not Path(document.name).is_file():
                    raise CannotSetMode(
                        f'policy "{policy.name}" comes with {document.name}: set `mode = "{mode}"` among its settings'
                    )
                where = f'[[policy]] "{policy.name}"'
                return ModeLine(file=Path(document.name), table=("policy", place), where=where, mode=mode)
    raise CannotSetMode(f'policy "{policy.name}" stands in no file')


def with_lines(lines: Sequence[ModeLine]) -> Mapping[Path, str]:
    """The files' texts with these lines in them."""
    found: dict[Path, Any] = {}
    for line in lines:
        document = found.setdefault(line.file, tomlkit.parse(text_of(line.file)))
        if line.table == ("service",) and "service" not in document:
            document["service"] = tomlkit.table()
        table = document
        for key in line.table:
            table = table[key]
        table["mode"] = line.mode
    return {file: tomlkit.dumps(document) for file, document in found.items()}


def text_of(file: Path) -> str:
    """The file's text with its line ends as they are."""
    return file.read_bytes().decode("utf-8-sig")


def write(texts: Mapping[Path, str]) -> None:
    """Put these texts in place of the files, each whole or not at all. OSError where one cannot be written; then those
    before it are as they were."""
    before = {file: file.read_bytes() for file in texts}
    done: list[Path] = []
    try:
        for file, text in texts.items():
            replace(file, text.encode())
            done.append(file)
    except OSError:
        for file in done:
            replace(file, before[file])
        raise


def replace(file: Path, content: bytes) -> None:
    """One file, through another beside it, so that nobody reads half of it. What it points at is replaced, not the
    link, and it keeps its permissions."""
    there = file.resolve()
    with there.open("r+b"):  # a file that must not be written is not replaced either
        pass
    handle, name = tempfile.mkstemp(dir=there.parent, prefix=f".{there.name}.")
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        beside.chmod(there.stat().st_mode & 0o7777)
        beside.replace(there)
    except BaseException:
        beside.unlink()
        raise
