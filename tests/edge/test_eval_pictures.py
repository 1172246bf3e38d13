from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import vision
from click.testing import CliRunner, Result

from edge.detect.detections import Detections
from edge.detect.detector import FakeDetector
from linli.cli.models import command
from linli.cli.models.evaluation.curves import curves
from linli.cli.models.evaluation.labelled import Labelled, LabelledSet, Truth
from linli.cli.models.evaluation.measure import Judged, measure
from linli.cli.models.evaluation.measure import Result as Measured
from linli.cli.models.evaluation.names import vocabulary
from linli.cli.models.evaluation.people import People
from linli.cli.models.evaluation.sheet import MOST, contact_sheet
from linli.errors import InputError

NAMES = ("person", "ebike")
DRAWN_AS = {name: name for name in NAMES}
Image = npt.NDArray[np.uint8]


def nobody(path: Path, image: Image) -> npt.NDArray[np.float32]:
    return np.empty((0, 4), np.float32)


def drawn(data: bytes | None) -> Image:
    assert data is not None
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def judged(path: Path, verdict: str, score: float | None, side: float = 0.2) -> Judged:
    return Judged(path, "ebike", verdict, (0.4, 0.4, side, side), score)  # type: ignore[arg-type]


def outcome(*rows: Judged) -> Measured:
    return Measured(len(rows), 0.5, None, None, {}, tuple(rows))


def grey(path: Path, value: int = 128) -> Path:
    cv2.imwrite(str(path), np.full((100, 100, 3), value, np.uint8))
    return path


def seen(*rows: tuple[float, float, float, float, float, int]) -> Detections:
    made = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(made[:, :4], made[:, 4], made[:, 5].astype(np.int64), NAMES)


def some(folder: Path) -> tuple[FakeDetector, LabelledSet]:
    """Two pictures: an e-bike found, one missed, one said where none is, a person found."""
    pictures = [grey(folder / f"{number}.png") for number in range(2)]
    detector = FakeDetector(
        NAMES,
        [
            seen((0, 0, 0.5, 0.5, 0.9, 1), (0.5, 0, 0.7, 0.6, 0.8, 0)),
            seen((0.6, 0.6, 0.9, 0.9, 0.7, 1), (0.6, 0.6, 0.9, 0.9, 0.1, 0)),
        ],
    )
    labelled = LabelledSet(
        NAMES,
        "classes.txt",
        (
            Labelled(pictures[0], (Truth(1, (0, 0, 0.5, 0.5)), Truth(0, (0.5, 0, 0.2, 0.6)))),
            Labelled(pictures[1], (Truth(1, (0, 0, 0.3, 0.3)),)),
        ),
    )
    return detector, labelled


def measured(folder: Path) -> Measured:
    detector, labelled = some(folder)
    words = vocabulary(NAMES, NAMES, "classes.txt")
    return measure(detector, labelled, words, dict.fromkeys(NAMES, 0.3), 0.5, lambda line: None)


def test_every_box_gets_its_verdict(tmp_path: Path) -> None:
    result = measured(tmp_path)
    rows = {(each.picture.name, each.name, each.verdict): each for each in result.judged}
    assert set(rows) == {
        ("0.png", "ebike", "right"),
        ("0.png", "person", "right"),
        ("1.png", "ebike", "false"),
        ("1.png", "ebike", "missed"),
    }
    assert rows["1.png", "ebike", "false"].box == pytest.approx((0.6, 0.6, 0.3, 0.3), abs=1e-6)
    assert rows["1.png", "ebike", "false"].score == pytest.approx(0.7)
    assert rows["1.png", "ebike", "missed"].box == pytest.approx((0, 0, 0.3, 0.3))
    assert rows["1.png", "ebike", "missed"].score is None
    assert result.classes["ebike"].recall == 0.5
    assert result.classes["ebike"].precision == 0.5


def test_the_curve_goes_where_precision_and_recall_are(tmp_path: Path) -> None:
    plots = drawn(curves(measured(tmp_path), DRAWN_AS))
    assert plots.shape[1] == 2 * (44 + 240 + 20)  # one plot a class, side by side
    ebike = plots[:, : plots.shape[1] // 2]  # most objects first
    red = (ebike[..., 2] > 150) & (ebike[..., 1] < 90) & (ebike[..., 0] < 90)
    ys, xs = np.nonzero(red)
    assert xs.mean() == pytest.approx(44 + 0.5 * 240, abs=1)
    assert ys.mean() == pytest.approx(60 + 0.5 * 240, abs=1)
    blue = (ebike[..., 0] > 150) & (ebike[..., 2] < 80)
    assert blue[60 - 2 : 60 + 3, 44 + 118 : 44 + 123].any()  # recall 0.5 at precision 1


def test_the_worst_come_first_and_both_kinds_by_turns(tmp_path: Path) -> None:
    values = {"sure": 40, "unsure": 90, "large": 150, "small": 220}
    paths = {name: grey(tmp_path / f"{name}.png", value) for name, value in values.items()}
    sheet = drawn(
        contact_sheet(
            outcome(
                judged(paths["small"], "missed", None, 0.1),
                judged(paths["unsure"], "false", 0.4),
                judged(paths["large"], "missed", None, 0.5),
                judged(paths["sure"], "false", 0.9),
            ),
            nobody,
            DRAWN_AS,
        )
    )
    tile = sheet.shape[1] // 4
    order = [int(sheet[26 + 300, tile * number + 10, 0]) for number in range(4)]
    assert order == pytest.approx(
        [values[name] for name in ("sure", "large", "unsure", "small")], abs=4
    )


def test_a_sheet_shows_so_many_pictures_and_each_once(tmp_path: Path) -> None:
    rows = [
        judged(grey(tmp_path / f"{number}.png"), verdict, score)
        for number in range(MOST + 6)
        for verdict, score in (("false", 0.5), ("false", 0.4), ("missed", None))
    ]
    sheet = drawn(contact_sheet(outcome(*rows), nobody, DRAWN_AS))
    assert sheet.shape[0] == 26 + MOST // 4 * (320 + 26)
    assert contact_sheet(outcome(judged(rows[0].picture, "right", 0.9)), nobody, DRAWN_AS) is None


def test_boxes_are_drawn_where_they_are_in_their_colour(tmp_path: Path) -> None:
    path = grey(tmp_path / "a.png")
    sheet = drawn(contact_sheet(outcome(judged(path, "false", 0.9, 0.2)), nobody, DRAWN_AS))
    # Shown is 0.3..0.7 of the picture, so that the box 0.4..0.6 is the middle half of the tile.
    tile = sheet[26 : 26 + 320].astype(int)
    red = (tile[..., 2] - tile[..., 0] > 90) & (tile[..., 2] - tile[..., 1] > 90)
    assert red[100:220, 80].mean() > 0.9
    assert red[240, 100:220].mean() > 0.9
    assert not red[100:220, 100:220].any()


def test_heads_are_hidden(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (320, 320, 3), np.uint8)
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), noise)
    person = np.array([[0.1, 0.1, 0.4, 0.9]], np.float32)
    row = Judged(path, "ebike", "missed", (0.0, 0.0, 1.0, 1.0), None)
    plain = drawn(contact_sheet(outcome(row), nobody, DRAWN_AS))[26:]
    hidden = drawn(contact_sheet(outcome(row), lambda path, image: person, DRAWN_AS))[26:]
    head, rest = (slice(45, 90), slice(45, 110)), (slice(45, 90), slice(200, 300))
    assert plain[head].std() > 40
    assert hidden[head].std() < 20
    assert hidden[rest].std() > 40


@pytest.mark.parametrize(("marked", "count"), [(True, 1), (False, 2)])
def test_a_faint_guess_hides_a_head_only_when_no_label_says_where_people_are(
    tmp_path: Path, marked: bool, count: int
) -> None:
    path = grey(tmp_path / "a.png")
    guesses = seen((0, 0, 0.2, 0.4, 0.15, 0), (0.5, 0, 0.7, 0.6, 0.35, 0), (0, 0, 1, 1, 0.9, 1))
    truths = (Truth(0, (0.5, 0.0, 0.2, 0.6)),) if marked else ()
    labelled = LabelledSet(NAMES, "classes.txt", (Labelled(path, truths),))
    words = vocabulary(NAMES, NAMES, "classes.txt")
    people = People(FakeDetector(NAMES, [guesses]), labelled, words, 0.3)
    assert people.known
    assert len(people.boxes(path, np.zeros((100, 100, 3), np.uint8))) == count + marked


def folder(path: Path, label: str, classes: str) -> Path:
    for name in ("images", "labels"):
        (path / name).mkdir(parents=True)
    cv2.imwrite(str(path / "images" / "电梯.png"), vision.square_image(100))
    (path / "labels" / "电梯.txt").write_text(label)
    (path / "classes.txt").write_text(classes)
    return path


def run(model: Path, data: Path, *arguments: object) -> Result:
    return CliRunner().invoke(
        command,
        ["eval", str(model), str(data), *(str(each) for each in arguments)],
        catch_exceptions=False,
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vision.bright_square_model(tmp_path_factory.mktemp("model") / "square.onnx")


def test_pictures_are_saved_where_asked(model: Path, tmp_path: Path) -> None:
    data = folder(tmp_path / "data", "0 0.5 0.5 0.1 0.1\n", "电动车\n")
    report = tmp_path / "报告" / "one"
    result = run(model, data, "--pictures", report, "--json")
    assert result.stdout.count("\n") == 1
    assert drawn((report / "curves.png").read_bytes()).size
    assert drawn((report / "mistakes.jpg").read_bytes()).size
    assert f"saved {report / 'mistakes.jpg'}" in result.stderr
    assert "no head is hidden" not in result.stderr


def test_an_old_sheet_does_not_outlive_the_mistakes(model: Path, tmp_path: Path) -> None:
    x, wide, high = 136 / vision.WIDTH, 72 / vision.WIDTH, 72 / vision.HEIGHT
    data = folder(tmp_path / "data", f"0 {x} 0.5 {wide} {high}\n", "person\n")
    (tmp_path / "mistakes.jpg").write_text("of yesterday")
    result = run(model, data, "--pictures", tmp_path)
    assert not (tmp_path / "mistakes.jpg").exists()
    assert "no mistake to show" in result.stderr


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(
    model: Path, tmp_path: Path
) -> None:
    data = folder(tmp_path / "data", "0 0.5 0.5 0.1 0.1\n", "person\n")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        run(model, data, "--pictures", tmp_path / "file" / "below")
