"""Which files make up a configuration, in the order in which they are read (rules 6 and 13)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from connector.library import packs_of
from policies.language.document import Document, Problem, read

DEFAULT_PATTERNS = ("policies.d/*.toml",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The main file's document first, then the policy files' in name order; and what could not be read."""

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]


def read_files(path: Path) -> Files:
    """Read the main file and every file that its `[service] policies` names, relative to it."""
    main = _read(path)
    if isinstance(main, Problem):
        return Files(documents=(), problems=(main,))
    named, problems = set[Path](), list[Problem]()
    for index, pattern in _patterns(main):
        named.update(matched := _matching(path.parent, pattern))
        if not matched and index is not None:
            problems.append(_no_file(main, index, pattern))
    files = sorted((file for file in named if not file.samefile(path)), key=lambda file: (file.name, file))
    read = [_read(file) for file in files]
    used = packs_of(main)
    return Files(
        documents=(main, *used.documents, *(each for each in read if isinstance(each, Document))),
        problems=(*problems, *used.problems, *(each for each in read if isinstance(each, Problem))),
    )


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


def _read(path: Path) -> Document | Problem:
    try:
        return read(str(path), path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text; save it as UTF-8"
    except OSError as error:
        reason = f"{error.strerror}; check the path and its permissions"
    return Problem(file=str(path), line=0, code="unreadable", message=f"this file cannot be read: {reason}.")
