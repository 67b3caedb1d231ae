"""Which files make up a configuration, in the order in which they are read (rules 6 and 13), and the packs that come
with Uptier.

A pack is a policy file with `[pack]`: what it is for, and its settings with their defaults. A value that says
`"$team"` becomes the setting of that name; one that nobody sets is left out, and so is a table that is empty then."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from policies.language.document import Document, Problem, did_you_mean, listed, read

EVERYWHERE = ("accounts", "calendar", "mode")
"""Settings of every pack: they go into each of its policies."""

NOTHING: Any = object()

SUFFIX = ".test.toml"
"""How a file with tests of policies is called, which no pattern for policies means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """The packs in use as documents, and what is wrong with how they are used."""

    documents: tuple[Document, ...] = ()
    problems: tuple[Problem, ...] = ()


def names() -> tuple[str, ...]:
    """The packs that come with this version."""
    found = (each.name for each in files("policies").joinpath("library").iterdir())
    packs = (name for name in found if name.endswith(".toml") and not name.endswith(SUFFIX))
    return tuple(sorted(name.removesuffix(".toml") for name in packs))


def text(name: str) -> str:
    """A pack as it is written."""
    return files("policies").joinpath("library", f"{name}.toml").read_text(encoding="utf-8")


def packs_of(main: Document) -> Used:
    """The packs that the main file uses, fitted by what it says of them."""
    documents, problems = list[Document](), list[Problem]()
    for index, name in enumerate(asked(main)):
        if name not in names():
            hint = did_you_mean(name, names()) or f" Known: {listed(names())}."
            problems.append(problem(main, ("service", "use", index), f'there is no pack "{name}".{hint}'))
            continue
        pack = read(f"pack {name}", text(name))
        assert isinstance(pack, Document)
        said = settings_of(main, name)
        problems += wrong(main, name, pack, said)
        documents.append(replace(pack, data=fitted(pack.data, said)))
    return Used(documents=tuple(documents), problems=(*problems, *unused(main)))


def unused(main: Document) -> Iterator[Problem]:
    """Settings of packs that are not in use."""
    tables = main.data.get("use")
    for name in tables if isinstance(tables, dict) else ():
        if name not in asked(main):
            text = f'pack "{name}" is not in use; name it in [service] use, or remove this.'
            yield problem(main, ("use", name), text)


def asked(main: Document) -> tuple[str, ...]:
    """The names behind `[service] use`. What is no list of texts is judged with the settings."""
    service = main.data.get("service")
    said = service.get("use") if isinstance(service, dict) else None
    return tuple(name for name in said if isinstance(name, str)) if isinstance(said, list) else ()


def settings_of(main: Document, name: str) -> Mapping[str, Any]:
    """What `[use.NAME]` says."""
    tables = main.data.get("use")
    said = tables.get(name) if isinstance(tables, dict) else None
    return said if isinstance(said, dict) else {}


def wrong(main: Document, name: str, pack: Document, said: Mapping[str, Any]) -> Iterator[Problem]:
    """Settings that the pack does not have, or that are of another kind than its own."""
    defaults = pack.data["pack"]["settings"]
    for key, value in said.items():
        if key in EVERYWHERE:
            continue
        if key not in defaults:
            known = (*defaults, *EVERYWHERE)
            hint = did_you_mean(key, known) or f" Known here: {listed(known)}."
            yield problem(main, ("use", name, key), f'pack "{name}" has no setting `{key}`.{hint}')
        elif not isinstance(value, type(defaults[key])):
            text = f'pack "{name}": `{key}` is of another kind than {defaults[key]!r}.'
            yield problem(main, ("use", name, key), text)


def fitted(data: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """The pack's tables with the settings in their places."""
    settings = {**data["pack"]["settings"], **said}
    rest = {key: value for key, value in data.items() if key != "pack"}
    made: dict[str, Any] = filled(rest, settings)
    common = {key: said[key] for key in EVERYWHERE if key in said}
    made["policy"] = [{**policy, **common} for policy in made["policy"]]
    return made


def filled(value: Any, settings: Mapping[str, Any]) -> Any:
    """A value with the settings in it; NOTHING where one is not set."""
    if isinstance(value, str) and value.startswith("$"):
        found = settings[value.removeprefix("$")]
        return NOTHING if found in ("", []) else found
    if isinstance(value, dict):
        return kept({key: filled(each, settings) for key, each in value.items()}, value)
    if isinstance(value, list):
        return kept_list([filled(each, settings) for each in value], value)
    return value


def kept(made: dict[str, Any], before: Mapping[str, Any]) -> Any:
    """The table without what is not set; nothing if that was all."""
    rest = {key: value for key, value in made.items() if value is not NOTHING}
    return rest if rest or not before else NOTHING


def kept_list(made: list[Any], before: list[Any]) -> Any:
    """The list without what is not set; nothing if that was all."""
    rest = [value for value in made if value is not NOTHING]
    return rest if rest or not before else NOTHING


def problem(main: Document, path: tuple[str | int, ...], message: str) -> Problem:
    """An error in the main file."""
    return Problem(file=main.name, line=main.line(path), code="bad-pack", message=message)


DEFAULT_PATTERNS = ("policies.d/*.toml",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The main file's document first, then the policy files' in name order; and what could not be read."""

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]


def read_files(path: Path) -> Files:
    """Read the main file and every file that its `[service] policies` names, relative to it."""
    main = read_file(path)
    if isinstance(main, Problem):
        return Files(documents=(), problems=(main,))
    named, problems = set[Path](), list[Problem]()
    for index, pattern in _patterns(main):
        named.update(matched := _matching(path.parent, pattern))
        if not matched and index is not None:
            problems.append(_no_file(main, index, pattern))
    files = sorted((file for file in named if not file.samefile(path)), key=lambda file: (file.name, file))
    read = [read_file(file) for file in files]
    used = packs_of(main)
    return Files(
        documents=(main, *used.documents, *(each for each in read if isinstance(each, Document))),
        problems=(*problems, *used.problems, *(each for each in read if isinstance(each, Problem))),
    )


def find_tests(path: Path) -> tuple[Document | Problem, ...]:
    """The tests of policies: those that stand beside the main file or the policy files, in name order, and those of the
    packs in use, unless their settings make other policies of them."""
    main = read_file(path)
    if isinstance(main, Problem):
        return (main,)
    patterns = ("*", *(pattern for _, pattern in _patterns(main)))
    beside = (str(Path(pattern).with_name(f"*{SUFFIX}")) for pattern in patterns)
    found = {file for pattern in beside for file in _found(path.parent, pattern)}
    files = sorted(found, key=lambda file: (file.name, file))
    as_they_come = (
        name
        for name in asked(main)
        if name in names() and not settings_of(main, name).keys() - {"accounts", "mode"}
    )
    return (*map(read_file, files), *map(pack_tests, as_they_come))


def pack_tests(name: str) -> Document:
    """The tests that come with a pack."""
    tests = read(f"tests of pack {name}", text(f"{name}.test"))
    assert isinstance(tests, Document)
    return tests


def _patterns(main: Document) -> Iterator[tuple[int | None, str]]:
    """The patterns with their place in the list; no place for those that nobody wrote."""
    service = main.data.get("service")
    said = service.get("policies") if isinstance(service, dict) else None
    if said is None:
        yield from ((None, pattern) for pattern in DEFAULT_PATTERNS)
    elif isinstance(said, list):
        yield from ((index, pattern) for index, pattern in enumerate(said) if isinstance(pattern, str))


def _matching(folder: Path, pattern: str) -> list[Path]:
    """The files a pattern means; it may also be one file's path, absolute or not."""
    if not set("*?[") & set(pattern):
        return [file] if (file := folder / pattern).is_file() else []
    return [file for file in _found(folder, pattern) if not file.name.endswith(SUFFIX)]


def _found(folder: Path, pattern: str) -> list[Path]:
    start = Path(pattern).anchor or "."
    return [file for file in (folder / start).glob(pattern.removeprefix(start)) if file.is_file()]


def _no_file(main: Document, index: int, pattern: str) -> Problem:
    return Problem(
        file=main.name,
        line=main.line(("service", "policies", index)),
        code="no-file",
        message=f'`policies` says "{pattern}", but there is no such file; it is looked for beside this one.',
        severity="warning" if set("*?[") & set(pattern) else "error",
    )


def read_file(path: Path) -> Document | Problem:
    """A file as a document; a Problem if it cannot be read or is no TOML."""
    try:
        return read(str(path), path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text; save it as UTF-8"
    except FileNotFoundError:
        reason = "there is none; `uptier init` makes an uptier.toml, and --config names another place"
    except OSError as error:
        reason = f"{error.strerror}; check the path and its permissions"
    return Problem(file=str(path), line=0, code="unreadable", message=f"this file cannot be read: {reason}.")
