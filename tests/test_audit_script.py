"""The audit of dependencies: what is known fails, what could not be asked is never a pass."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "audit.py"
WEB = SCRIPT.parents[1] / "dashboards/web"


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    if not SCRIPT.is_file():
        pytest.skip("scripts are no part of an installed Linli")
    spec = importlib.util.spec_from_file_location("linli_audit", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def of(*found: dict[str, Any]) -> dict[str, Any]:
    return {"dependencies": list(found), "fixes": []}


FINE = {"name": "msgspec", "version": "1.0", "vulns": []}
UNKNOWN = {"name": "amqtt", "skip_reason": "Dependency not found on PyPI"}
WEAK = {
    "name": "jinja2",
    "version": "2.4.1",
    "vulns": [{"id": "PYSEC-2019-217", "aliases": ["CVE-2019-10906"], "fix_versions": ["2.10.1"]}],
}


@pytest.mark.parametrize(
    ("found", "word", "bad"),
    [
        (of(FINE, WEAK), "jinja2 2.4.1: PYSEC-2019-217", True),
        (of(FINE, UNKNOWN), "1 packages without a known weakness, 1 not checked", False),
        (of(UNKNOWN, UNKNOWN), "not checked", False),
        (of(), "not checked", False),
        ("offline", "not checked: offline", False),
    ],
)
def test_python(audit: ModuleType, found: Any, word: str, bad: bool) -> None:
    line, failed = audit.python(found)
    assert word in line
    assert failed == bad


def test_a_weakness_that_is_accepted_by_any_of_its_names_is_none(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "ACCEPTED", {"CVE-2019-10906": "no template of anybody else"})
    assert audit.python(of(WEAK))[1] is False


@pytest.mark.parametrize(
    ("found", "word", "bad"),
    [
        ({"vulnerabilities": {"esbuild": {"severity": "high"}}}, "esbuild", True),
        ({"vulnerabilities": {}}, "no known weakness", False),
        ({"message": "404 Not Found"}, "not checked", False),
        ("no answer in 120 s", "not checked: no answer", False),
    ],
)
def test_npm(audit: ModuleType, found: Any, word: str, bad: bool) -> None:
    line, failed = audit.npm(WEB, found)
    assert word in line
    assert failed == bad


def test_lock_files_that_drift_are_noticed(
    audit: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [audit.drift(one)[1] for one in audit.LOCKED] == [False, False]
    monkeypatch.setattr(audit, "ROOT", tmp_path)
    wanted = json.loads((WEB / "package.json").read_text("utf-8"))
    lock = json.loads((WEB / "package-lock.json").read_text("utf-8"))

    def kept(package: dict[str, Any], locked: dict[str, Any]) -> tuple[str, bool]:
        (tmp_path / "package.json").write_text(json.dumps(package))
        (tmp_path / "package-lock.json").write_text(json.dumps(locked))
        found: tuple[str, bool] = audit.drift(tmp_path)
        return found

    assert kept(wanted, lock)[1] is False
    kind = next(one for one in ("dependencies", "devDependencies") if one in wanted)
    line, bad = kept({**wanted, kind: {**wanted[kind], "left-pad": "1.3.0"}}, lock)
    assert bad
    assert kind in line
    some = next(path for path in lock["packages"] if path)
    del lock["packages"][some]["integrity"]
    assert kept(wanted, lock) == (f".: package-lock.json holds no hash of {some}", True)


def test_a_program_that_says_nothing_is_no_pass(audit: ModuleType, tmp_path: Path) -> None:
    assert isinstance(audit.asked(["/bin/echo", "ERROR: connection"], tmp_path), str)
    assert audit.asked(["/bin/echo", "{}"], tmp_path) == {}
