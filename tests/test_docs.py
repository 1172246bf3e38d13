"""The documents tell the truth: links lead somewhere, commands exist, both READMEs say the same."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import click
import pytest

from linli.cli.main import command as linli

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("b*/README.md")]
    if path.is_file() and "node_modules" not in path.parts
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"`([^`\n]+)`")
LINLI = re.compile(r"(?:^|[\s(])linli((?: [a-z]+(?:-[a-z]+)*)+)")
FOLDERS = re.compile(
    r"^(?:linli|edge|ingest|dashboards|broker|models|bench|tests|docs|scripts)/[\w./-]*$"
)
IN_CHECKOUT = pytest.mark.skipif(
    not (ROOT / "scripts").is_dir(),
    reason="the documents are checked in a checkout only: run it in a clone",
)
pytestmark = IN_CHECKOUT


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_named_files_exist(page: Path) -> None:
    for text in CODE.findall(page.read_text(encoding="utf-8")):
        if FOLDERS.match(text) and not any(mark in text for mark in "*{<…"):
            assert (ROOT / text).exists(), text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_named_commands_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL))
    for words in LINLI.findall("\n".join([*CODE.findall(text), blocks])):
        group: click.Command | None = linli
        for word in words.split():
            if not isinstance(group, click.Group):
                break
            group = group.get_command(click.Context(group), word)
            assert group is not None, f"linli{words}"


def test_both_readmes_give_the_same_commands() -> None:
    commands = [
        [line.split("#")[0].strip() for line in re.findall(r"^scripts/.*$", text, re.MULTILINE)]
        for text in (
            (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md")
        )
    ]
    assert commands[0] == commands[1]
    assert len(commands[0]) >= 2


def commands_of(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for name in group.list_commands(click.Context(group)):
        one = group.get_command(click.Context(group), name)
        if one is None or one.hidden:
            continue
        found.append((*path, name))
        if isinstance(one, click.Group):
            found += commands_of(one, (*path, name))
    return found


@pytest.mark.parametrize("path", commands_of(linli), ids=" ".join)
def test_every_command_explains_itself_with_an_example(path: tuple[str, ...]) -> None:
    one: click.Command | None = linli
    for name in path:
        assert isinstance(one, click.Group)
        one = one.get_command(click.Context(one), name)
    assert one is not None
    assert one.help
    if not isinstance(one, click.Group):
        assert one.epilog, "say an example in the epilog"
        assert "linli " + " ".join(path) in one.epilog


def test_no_host_name_or_path_of_a_machine_is_committed() -> None:
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    if not files:
        pytest.skip("this is no git checkout: run it in a clone")
    lock = (ROOT / "dashboards/web/package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    for name in files:
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".json", ".conf", ".html", ".js", ".css", ".sh"}:
            text = path.read_text(encoding="utf-8")
            assert "/work/" + "main" not in text, name
            assert "/root" + "/" not in text, name
