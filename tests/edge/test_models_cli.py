from __future__ import annotations

import fcntl
import json
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import onnx
import pytest
import vision
from beside import SHARED, needs_shared
from click.testing import CliRunner, Result
from shelf import Shelf, serve

from edge.catalog.book import open_book
from edge.catalog.digest import sha256_of
from edge.catalog.load import load_model
from linli.cli.models import command
from linli.errors import InputError, LinkError, LinliError


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vision.blind_model(tmp_path_factory.mktemp("model") / "blind.onnx")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vision.model_of_unknown_family(tmp_path_factory.mktemp("model") / "other.onnx")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LINLI_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("LINLI_MODELS_MIRROR", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "models"


@pytest.fixture
def shelf(blind: Path) -> Iterator[Shelf]:
    with serve(Shelf(blind.read_bytes())) as serving:
        yield serving


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def refused(*arguments: str, kind: type[LinliError] = InputError) -> str:
    with pytest.raises(kind) as caught:
        run(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def known(folder: Path, path: Path, **changes: object) -> None:
    """Write a catalogue with the model `mine`, whose file is that at `path`."""
    fields = {
        "name": "mine",
        "version": "1",
        "summary": "squares",
        "classes": "coco",
        "input": [416, 416],
        "decoder": "yolox",
        "licence": "MIT",
        "source": "our own",
        "sha256": sha256_of(path),
        "size": path.stat().st_size,
        **changes,
    }
    said = [f"{key} = {json.dumps(value)}" for key, value in fields.items() if value is not None]
    folder.mkdir(exist_ok=True)
    (folder / "catalog.toml").write_text("\n".join(["[[model]]", *said]))


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".lock", "catalog.toml"}


def test_a_model_is_fetched_under_its_name(folder: Path, blind: Path, shelf: Shelf) -> None:
    known(folder, blind, url=shelf.url + "/release/square.onnx")
    done = run("pull", "mine")
    assert done.stdout.strip() == str(folder / "mine.onnx")
    assert shelf.paths == ["/release/square.onnx"]
    assert (folder / "mine.onnx").read_bytes() == blind.read_bytes()
    assert left(folder) == {"mine.onnx"}
    assert "of 0.0 MB" in done.stderr or "MB" in done.stderr
    assert "mine: good" in run("verify").stdout.splitlines()
    run("pull", "mine")
    assert len(shelf.paths) == 1  # it is here: nothing is asked


def test_a_cut_fetch_goes_on(
    folder: Path, blind: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("linli.cli.models.pull.time.sleep", waited.append)
    known(folder, blind, url=shelf.url + "/square.onnx")
    shelf.faults = ["cut", "cut"]
    done = run("pull", "mine")
    assert waited == [1.0, 2.0]
    assert "trying on in 1 s" in done.stderr
    assert load_model("mine").model.sha256 == sha256_of(blind)
    assert left(folder) == {"mine.onnx"}


def test_what_was_left_of_another_file_is_thrown_away(
    folder: Path, blind: Path, shelf: Shelf
) -> None:
    known(folder, blind, url=shelf.url + "/square.onnx")
    (folder / f".mine-{sha256_of(blind)[:16]}.part").write_bytes(b"of yesterday's file")
    run("pull", "mine")
    assert [asked.get("Range") for asked in shelf.asked] == ["bytes=19-", None]
    assert run("verify", "mine").exit_code == 0


@pytest.mark.parametrize("how", ["option", "mirror", "variable", "the file itself"])
def test_a_mirror_is_asked_instead(
    folder: Path, blind: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    known(folder, blind, url="https://makers.invalid/release/Square-1.onnx")
    base = shelf.url + "/models/"
    options = {
        "option": ["--from", base],
        "mirror": ["--mirror", base],
        "the file itself": ["--from", base + "Square-1.onnx"],
    }.get(how, [])
    if how == "variable":
        monkeypatch.setenv("LINLI_MODELS_MIRROR", base)
    run("pull", "mine", *options)
    assert shelf.paths == ["/models/Square-1.onnx"]
    assert run("verify", "mine").exit_code == 0


@pytest.mark.parametrize("name", ["mine.onnx", "whatever it is called.ONNX"])
def test_a_folder_will_do_without_any_network(
    folder: Path, blind: Path, other: Path, tmp_path: Path, name: str
) -> None:
    known(folder, blind, url="https://makers.invalid/blind.onnx")
    stick = tmp_path / "stick"
    stick.mkdir()
    shutil.copy(other, stick / "a.onnx")
    shutil.copy(blind, stick / name)
    (stick / "aa.onnx").symlink_to("gone")
    (stick / "b.onnx").mkdir()
    run("pull", "mine", "--from", str(stick))
    assert left(folder) == {"mine.onnx"}
    (folder / "mine.onnx").unlink()
    run("pull", "mine", "--from", str(stick / name))
    assert run("verify", "mine").exit_code == 0


def harmed(blind: Path, path: Path, harm: str) -> Path:
    content = bytearray(blind.read_bytes())
    if harm == "cut":
        content = content[:-100]
    else:
        content[-1] ^= 1
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("way", ["folder", "file", "server"])
@pytest.mark.parametrize(("harm", "said"), [("cut", "bytes, the"), ("flipped", "has sha256")])
def test_a_file_that_is_not_the_one_is_refused_and_the_old_one_stays(
    folder: Path, blind: Path, tmp_path: Path, harm: str, said: str, way: str
) -> None:
    known(folder, blind, url="https://makers.invalid/blind.onnx")
    (folder / "mine.onnx").write_bytes(b"the old one")
    stick = tmp_path / "stick"
    stick.mkdir()
    bad = harmed(blind, stick / "BLIND.onnx", harm)
    if way == "server":
        with serve(Shelf(bad.read_bytes())) as shelf:
            text = refused("pull", "mine", "--from", shelf.url)
            said = said.replace("bytes, the", "bytes, the catalogue says")
    else:
        text = refused("pull", "mine", "--from", str(stick if way == "folder" else bad))
    assert said in text
    assert (folder / "mine.onnx").read_bytes() == b"the old one"
    assert left(folder) == {"mine.onnx"}


def test_a_model_that_its_decoder_does_not_understand_is_refused(
    folder: Path, other: Path, tmp_path: Path
) -> None:
    known(folder, other, url="https://makers.invalid/other.onnx")
    assert "no decoder knows a model with" in refused("pull", "mine", "--from", str(other))
    assert left(folder) == set()


def test_what_nobody_has_had_needs_a_hash(folder: Path, blind: Path, shelf: Shelf) -> None:
    known(folder, blind, url=shelf.url + "/square.onnx", sha256=None, size=None)
    assert "Pass the hash you trust: --sha256" in refused("pull", "mine")
    assert "has no hash of its file" in refused("pull", "yolox-tiny")
    assert "64 hexadecimal digits" in refused("pull", "mine", "--sha256", "abc")
    wrong = refused("pull", "mine", "--sha256", "0" * 64)
    assert "has sha256" in wrong
    assert left(folder) == set()
    run("pull", "mine", "--sha256", sha256_of(blind).upper())
    assert open_book().find("mine").entry.size == blind.stat().st_size
    assert run("verify", "mine").exit_code == 0


def test_a_hash_of_ones_own_makes_the_entry_ones_own(
    folder: Path, blind: Path, tmp_path: Path
) -> None:
    run("pull", "yolox-nano", "--from", str(blind), "--sha256", sha256_of(blind))
    model = open_book().find("yolox-nano")
    assert (model.origin, model.entry.quality) == ("own", ())
    assert load_model("yolox-nano").model.version == model.entry.version
    run("remove", "yolox-nano", "--yes")
    assert open_book().find("yolox-nano").origin == "known"
    assert left(folder) == set()


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ([], "the catalogue has no address"),
        (["--from", "/none/at/all"], "no such folder or file"),
        (["--from", "EMPTY"], "none of the 0 models in it is 'mine'"),
    ],
)
def test_a_place_that_has_it_not_is_said(
    folder: Path, blind: Path, tmp_path: Path, place: list[str], said: str
) -> None:
    known(folder, blind)
    place = [str(tmp_path) if text == "EMPTY" else text for text in place]
    assert said in refused("pull", "mine", *place)


def test_a_folder_that_cannot_be_read_is_said(
    folder: Path, blind: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(folder, blind)

    def refuse(self: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", refuse)  # root may read what its mode forbids
    said = refused("pull", "mine", "--from", str(tmp_path))
    assert f"{tmp_path}: cannot be read (Permission denied)" in said


def test_only_one_command_at_a_time_changes_the_folder(folder: Path, blind: Path) -> None:
    known(folder, blind)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        text = refused("pull", "mine", "--from", str(blind))
    assert "another command is changing this folder" in text
    run("pull", "mine", "--from", str(blind))


def test_a_server_that_is_away_can_be_tried_again(
    folder: Path, blind: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linli.cli.models.pull.time.sleep", lambda _seconds: None)
    known(folder, blind, url="http://127.0.0.1:1/square.onnx")
    assert "Run the same command again" in refused("pull", "mine", kind=LinkError)


def test_a_model_of_ones_own_is_entered_used_and_removed(
    folder: Path, blind: Path, tmp_path: Path
) -> None:
    named = onnx.load(blind)
    names = ["person", *(f"thing {n}" for n in range(1, 80))]
    onnx.helper.set_model_props(named, {"names": json.dumps(names), "version": "7"})
    onnx.save(named, tmp_path / "最好.onnx")
    arguments = ["add", str(tmp_path / "最好.onnx"), "--name", "best", "--licence", "MIT"]
    arguments += ["--source", "our pictures", "--threshold", "0.4", "--threshold", "person=0.6"]
    done = run(*arguments)
    assert done.stdout.strip() == str(folder / "best.onnx")
    detector = load_model("best")
    assert (detector.model.name, detector.model.version) == ("best", "7")
    assert detector.thresholds[:2].tolist() == pytest.approx([0.6, 0.4])
    text = (folder / "catalog.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["model"][0]["licence"] == "MIT"
    assert "there is already a model called 'best'" in refused(*arguments)
    run(*arguments, "--replace", "--version", "8")
    assert [model.entry.version for model in open_book() if model.entry.name == "best"] == ["8"]
    assert "best: good" in run("verify").stdout.splitlines()
    assert "Pass --yes" in refused("remove", "best")
    run("remove", "best", "--yes")
    assert left(folder) == set()
    assert "no model of the catalogue is called 'best'" in refused("show", "best")


def test_a_broken_catalogue_of_ones_own_is_said_and_left_alone(folder: Path, blind: Path) -> None:
    known(folder, blind)
    with (folder / "catalog.toml").open("a") as file:
        file.write("[[model\n")
    text = (folder / "catalog.toml").read_text()
    assert "linli-detector" in run("list").stdout
    assert run("verify", "builtin").stdout == "linli-detector: good\n"
    arguments = ["add", str(blind), "--name", "best", "--licence", "MIT", "--source", "ours"]
    pulling = ["pull", "yolox-tiny", "--from", str(blind), "--sha256", sha256_of(blind)]
    for words in (["verify"], ["show", "mine"], ["remove", "mine", "--yes"], arguments, pulling):
        assert "catalog.toml: not valid TOML" in refused(*words)
    assert (folder / "catalog.toml").read_text() == text
    assert left(folder) == set()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--name", "no id"], "name"),
        (["--name", "yolox-nano"], "there is already a model called 'yolox-nano'"),
        (["--name", "a", "--classes", "x,y"], "2 classes are known of the model"),
        (["--name", "a", "--threshold", "much"], "must be a score such as 0.4"),
        (["--name", "a", "--threshold", "1.5"], "linli models add: threshold"),
        (["--name", "a", "--threshold", "zebra9=0.5"], "name zebra9, which it does not know"),
        (["--name", "a", "--licence", ""], "--licence: must be said"),
    ],
)
def test_what_cannot_be_entered_is_said(
    folder: Path, blind: Path, options: list[str], said: str
) -> None:
    arguments = ["add", str(blind), "--licence", "MIT", "--source", "us", *options]
    assert said in refused(*arguments)
    assert not folder.exists() or left(folder) == set()


def test_a_file_that_is_no_model_is_not_entered(folder: Path, other: Path, tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("hello")
    rest = ["--name", "a", "--licence", "MIT", "--source", "us"]
    assert "not an ONNX model" in refused("add", str(tmp_path / "text.onnx"), *rest)
    assert "no such model file" in refused("add", str(tmp_path / "none.onnx"), *rest)
    with (tmp_path / "huge.onnx").open("wb") as huge:
        huge.truncate(1 << 40)
    assert "more than a model has" in refused("add", str(tmp_path / "huge.onnx"), *rest)
    assert "no decoder knows" in refused("add", str(other), *rest)


def test_people_and_machines_get_a_list(folder: Path, blind: Path) -> None:
    known(folder, blind)
    shutil.copy(blind, folder / "mine.onnx")
    (folder / "fastestdet.onnx").write_bytes(b"too short")
    rows = {row["name"]: row for row in json.loads(run("list", "--json").stdout)}
    assert rows["mine"]["state"] == "here"
    assert rows["yolox-nano"]["state"] == "not here"
    assert rows["fastestdet"]["state"] == "wrong file"
    assert len(rows["mine"]["classes"]) == 80
    table = run("list").stdout.splitlines()
    assert table[0].split() == ["NAME", "VERSION", "TASK", "SIZE", "LICENCE", "STATE"]
    assert len(table) == len(rows) + 1
    assert any(line.split()[0] == "mine" and line.endswith("here") for line in table)


def test_people_and_machines_are_shown_one(folder: Path, blind: Path) -> None:
    known(folder, blind, thresholds=None)
    said = run("show", "mine").stdout
    for text in ("80: person, bicycle", "0.3", "MIT", "our own", sha256_of(blind), "(yours)"):
        assert text in said
    assert json.loads(run("show", "mine", "--json").stdout)["licence"] == "MIT"
    assert "AP50 0.498" in run("show", "yolox-nano").stdout
    assert "none known: pull asks for one" in run("show", "yolox-tiny").stdout
    assert "Did you mean 'yolox-nano'" in refused("show", "yolox-nan")


def test_files_that_are_not_right_are_found(folder: Path, blind: Path, other: Path) -> None:
    known(folder, other)
    shutil.copy(other, folder / "mine.onnx")
    shutil.copy(blind, folder / "fastestdet.onnx")
    result = CliRunner().invoke(command, ["verify", "--json"])
    rows = {row["name"]: row for row in json.loads(result.stdout)}
    assert "no decoder knows" in rows["mine"]["why"]
    assert "bytes, the file of model 'fastestdet' has" in rows["fastestdet"]["why"]
    assert isinstance(result.exception, InputError)
    assert "2 of" in str(result.exception)
    assert "mine: " in CliRunner().invoke(command, ["verify", "mine"]).stdout
    (folder / "mine.onnx").unlink()
    assert "cannot be read" in CliRunner().invoke(command, ["verify"]).stdout


@pytest.mark.shared
@needs_shared("models")
def test_the_real_models_are_fetched_from_a_folder(folder: Path) -> None:
    for name in ("yolox-nano", "fastestdet"):
        run("pull", name, "--from", str(SHARED / "models"))
    assert left(folder) == {"yolox-nano.onnx", "fastestdet.onnx"}
    assert run("verify").exit_code == 0


def test_every_command_has_help() -> None:
    context = click.Context(command)
    for name in command.list_commands(context):
        assert f"linli models {name}" in run(name, "--help").output
