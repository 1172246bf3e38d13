from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import msgspec
import onnx
import pytest
import vision
from beside import SHARED, needs_shared

from edge.catalog.book import Book, models_folder, open_book
from edge.catalog.check import check_file
from edge.catalog.digest import sha256_of
from edge.catalog.entry import Catalog, Entry
from edge.catalog.load import load_model
from edge.detect.families import FAMILIES
from linli.errors import InputError
from linli.resources import resource
from linli.settings import convert, load

ENTRY = """
[[model]]
name = "mine"
version = "1"
summary = "squares"
classes = "coco"
input = [416, 416]
decoder = "yolox"
licence = "MIT"
source = "our own"
"""


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vision.blind_model(tmp_path_factory.mktemp("model") / "blind.onnx")


def catalog(text: str) -> Catalog:
    return convert(tomllib.loads(text), Catalog, where="catalog.toml")


def entry(path: Path | None = None, **changes: object) -> Entry:
    made = catalog(ENTRY).model[0]
    if path is not None:
        made = msgspec.structs.replace(made, sha256=sha256_of(path), size=path.stat().st_size)
    return msgspec.structs.replace(made, **changes)


def test_linlis_own_catalogue_is_whole() -> None:
    models = load(resource("models", "catalog.toml"), Catalog).model
    assert {"yolox-nano", "yolox-tiny", "yolox-s", "fastestdet"} <= {one.name for one in models}
    for one in models:
        assert one.task != "detection" or one.decoder in FAMILIES
        assert one.file or one.source.startswith("https://")


def test_what_linli_brings_is_what_the_catalogue_says(tmp_path: Path) -> None:
    brought = [model for model in open_book(tmp_path) if model.origin == "built-in"]
    for model in brought:
        check_file(model.entry, model.path)
    folder = resource("models", "catalog.toml").parent / "builtin"
    assert {model.path for model in brought} == set(folder.glob("*.onnx"))


@pytest.mark.shared
@needs_shared("models")
@pytest.mark.parametrize(
    ("name", "file"), [("yolox-nano", "yolox_nano.onnx"), ("fastestdet", "fastestdet.onnx")]
)
def test_the_real_files_are_what_the_catalogue_says(name: str, file: str, tmp_path: Path) -> None:
    model = open_book(tmp_path).find(name)
    check_file(model.entry, SHARED / "models" / file)
    detector = load_model(SHARED / "models" / file, book=open_book(tmp_path))
    assert (detector.model.name, detector.model.version) == (name, model.entry.version)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ENTRY + ENTRY, "model mine is there twice"),
        (ENTRY + 'aliases = ["mine"]\n', "model mine is there twice"),
        (ENTRY.replace('"coco"', '["a", "a"]'), "each have another name"),
        (ENTRY.replace('"coco"', "[]"), "model[0].classes"),
        (ENTRY.replace('"coco"', '"voc"'), "model[0].classes"),
        (ENTRY.replace('"coco"', '["No Id"]'), "model[0].classes"),
        (ENTRY + "thresholds = { ebike = 0.5 }\n", "name ebike, which it does not know"),
        (ENTRY + "thresholds = { person = 0.05 }\n", "model[0].thresholds"),
        (ENTRY + "threshold = 1.5\n", "model[0].threshold"),
        (ENTRY + "overlap = 0.0\n", "model[0].overlap"),
        (ENTRY + "size = 7\n", "needs the sha256"),
        (ENTRY + 'sha256 = "abc"\nsize = 1\n', "model[0].sha256"),
        (ENTRY + 'file = "a.onnx"\n', "it needs sha256, size and no url"),
        (ENTRY + f'file = "../a"\nsize = 1\nsha256 = "{"0" * 64}"\n', "path below models/"),
        (ENTRY + 'card = "/etc/passwd"\n', "path below models/"),
        (ENTRY + 'url = "ftp://host/a"\n', "model[0].url"),
        (ENTRY + "treshold = 0.4\n", "Did you mean 'threshold'"),
        (ENTRY + 'task = "dancing"\n', "model[0].task"),
        (ENTRY.replace("[416, 416]", "[416]"), "model[0].input"),
        (ENTRY.replace('licence = "MIT"\n', ""), "licence"),
    ],
)
def test_a_wrong_catalogue_says_where_and_what(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        catalog(text)
    assert said in str(caught.value)
    assert str(caught.value).startswith("catalog.toml")
    assert "\n" not in str(caught.value)


def test_a_users_entry_goes_before_linlis(tmp_path: Path) -> None:
    (tmp_path / "catalog.toml").write_text(ENTRY.replace('"mine"', '"yolox-nano"') + ENTRY)
    book = open_book(tmp_path)
    assert book.find("yolox-nano").origin == "own"
    assert book.find("mine").path == tmp_path / "mine.onnx"
    names = [model.entry.name for model in book]
    assert len(names) == len(set(names))


def test_a_users_entry_goes_before_linlis_alias_and_content(tmp_path: Path) -> None:
    brought = open_book(tmp_path).find("builtin").entry
    same = f'sha256 = "{brought.sha256}"\nsize = {brought.size}\n'
    (tmp_path / "catalog.toml").write_text(ENTRY.replace('"mine"', '"builtin"') + same)
    book = open_book(tmp_path)
    assert book.find("builtin").origin == "own"
    assert book.find(brought.name).origin == "built-in"
    found = book.of_content(brought.sha256 or "")
    assert found is not None
    assert found.origin == "own"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[model]]\n", "catalog.toml: model[0]"),
        ("[[model\n", "catalog.toml: not valid TOML"),
        (ENTRY + f'file = "a.onnx"\nsize = 1\nsha256 = "{"0" * 64}"\n', "for Linli's own models"),
    ],
)
def test_a_users_wrong_catalogue_is_named_and_stops_no_model_of_linlis(
    tmp_path: Path, blind: Path, caplog: pytest.LogCaptureFixture, text: str, said: str
) -> None:
    (tmp_path / "catalog.toml").write_text(text)
    book = open_book(tmp_path)
    assert said in caplog.text
    assert "Only the models that Linli knows" in caplog.text
    detector = load_model("builtin", book=book)
    assert detector.model.name == load_model(book.find("builtin").path, book=book).model.name
    for wanted in ("mine", blind):
        with pytest.raises(InputError) as caught:
            load_model(wanted, book=book)
        assert said in str(caught.value)
        assert str(tmp_path) in str(caught.value)


def test_where_models_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LINLI_MODELS", str(tmp_path))
    assert models_folder() == tmp_path
    monkeypatch.delenv("LINLI_MODELS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert models_folder() == tmp_path / "data/linli/models"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert models_folder() == tmp_path / ".local/share/linli/models"


def book_of(folder: Path, *own: Entry) -> Book:
    return Book(Catalog(), Catalog(model=own), folder)


def test_a_name_finds_its_file_with_thresholds(tmp_path: Path, blind: Path) -> None:
    shutil.copy(blind, tmp_path / "mine.onnx")
    book = book_of(
        tmp_path, entry(blind, aliases=("squares",), threshold=0.4, thresholds={"person": 0.6})
    )
    for wanted in ("mine", "squares", blind, str(tmp_path / "mine.onnx")):
        detector = load_model(wanted, book=book)
        assert (detector.model.name, detector.model.version) == ("mine", "1")
        assert detector.thresholds[:2].tolist() == pytest.approx([0.6, 0.4])
    assert load_model("mine", name="other", book=book).model.name == "other"


def test_a_file_that_the_catalogue_does_not_know_stands_for_itself(
    tmp_path: Path, blind: Path
) -> None:
    detector = load_model(blind, book=book_of(tmp_path))
    assert detector.model.name == "blind"
    assert detector.thresholds.tolist() == pytest.approx([0.3] * 80)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("mine", "is not on this machine. Add it again: linli models add"),
        ("min", "Did you mean 'mine'?"),
        ("zebra", "There is: mine"),
        ("yolox_nano", "no such model file"),
        ("./none.onnx", "no such model file"),
    ],
)
def test_a_model_that_cannot_be_found_says_what_to_do(
    tmp_path: Path, wanted: str, said: str
) -> None:
    with pytest.raises(InputError) as caught:
        load_model(wanted, book=book_of(tmp_path, entry()))
    assert said in str(caught.value)


def test_a_known_model_that_is_not_here_can_be_fetched(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="linli models pull yolox-nano"):
        load_model("yolox-nano", book=open_book(tmp_path))


def renamed(blind: Path, path: Path, names: str) -> Path:
    model = onnx.load(blind)
    onnx.helper.set_model_props(model, {"names": names})
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"decoder": "fastestdet"}, "has the decoder yolox, the catalogue says fastestdet"),
        ({"decoder": "yolo99"}, "no decoder for detection is called 'yolo99'. There is: yolox"),
        ({"input": (640, 416)}, "has the input 416 x 416, the catalogue says 640 x 416"),
        ({"classes": ("person", "ebike")}, "2 classes are known of the model, its output has 80"),
        ({"task": "classification"}, "is for classification, not for detection"),
        ({"sha256": "0" * 64}, "the file of model 'mine' has 000000000000…"),
    ],
)
def test_a_file_that_is_not_what_the_catalogue_says_is_refused(
    tmp_path: Path, blind: Path, changes: dict[str, object], said: str
) -> None:
    shutil.copy(blind, tmp_path / "mine.onnx")
    with pytest.raises(InputError) as caught:
        load_model("mine", book=book_of(tmp_path, entry(blind, **changes)))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_in_the_file_that_say_otherwise_are_refused(tmp_path: Path, blind: Path) -> None:
    said = str([f"thing {n}" for n in range(80)])
    path = renamed(blind, tmp_path / "mine.onnx", said)
    with pytest.raises(InputError, match="its metadata names the classes thing-0"):
        load_model("mine", book=book_of(tmp_path, entry(path)))


@pytest.mark.parametrize("harm", ["cut", "flipped"])
def test_a_damaged_file_is_refused_whatever_opens_it(
    tmp_path: Path, blind: Path, harm: str
) -> None:
    content = bytearray(blind.read_bytes())
    content[-200] ^= 1
    (tmp_path / "mine.onnx").write_bytes(content[:-9] if harm == "cut" else content)
    said = "bytes, the file of model 'mine' has" if harm == "cut" else "has sha256"
    with pytest.raises(InputError, match=f"^the stick: .*{said}"):
        check_file(entry(blind), tmp_path / "mine.onnx", where="the stick")
    with pytest.raises(InputError, match=f"^{tmp_path}.*{said}"):
        load_model("mine", book=book_of(tmp_path, entry(blind)))


def test_two_boxes_of_one_thing_are_suppressed_as_the_catalogue_says(
    tmp_path: Path,
) -> None:
    square = vision.bright_square_model(tmp_path / "mine.onnx")
    image = vision.square_image(100)
    counts = [
        len(
            load_model(
                "mine", floor=0.01, book=book_of(tmp_path, entry(square, overlap=overlap))
            ).detect(image)
        )
        for overlap in (0.45, 1.0)
    ]
    assert counts[0] == 1
    assert counts[1] > 1
