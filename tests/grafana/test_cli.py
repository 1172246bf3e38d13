"""`linli grafana`: files for a provisioning folder, and a Grafana that answers as Grafana does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from house import AREA, CAMERA, SITE, Folder
from served import served

from dashboards.grafana.names import Names, put
from ingest.store.engine import writing
from ingest.store.registry import device, place
from linli.cli.main import command
from linli.errors import LinliError

TOKEN = "glsa_right"


class FakeGrafana:
    """Keeps dashboards as Grafana 11 does: by uid, with versions; `fault` makes it refuse."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.app.add_api_route("/sub/api/folders/{uid}", self.folder, methods=["GET"])
        self.app.add_api_route("/sub/api/folders", self.make_folder, methods=["POST"])
        self.app.add_api_route("/sub/api/dashboards/db", self.save, methods=["POST"])
        self.folders: dict[str, str] = {}
        self.boards: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, int] = {}
        self.fault: tuple[int, str] | None = None

    def folder(self, uid: str, request: Request) -> JSONResponse:
        if refused := self._refused(request):
            return refused
        if uid not in self.folders:
            return JSONResponse({"message": "folder not found"}, 404)
        return JSONResponse({"uid": uid, "title": self.folders[uid]})

    async def make_folder(self, request: Request) -> JSONResponse:
        if refused := self._refused(request):
            return refused
        body = await request.json()
        self.folders[body["uid"]] = body["title"]
        return JSONResponse(body)

    async def save(self, request: Request) -> JSONResponse:
        if refused := self._refused(request):
            return refused
        if self.fault is not None:
            return JSONResponse({"message": self.fault[1], "status": "x"}, self.fault[0])
        body = await request.json()
        board = body["dashboard"]
        assert board["id"] is None
        assert body["folderUid"] in self.folders
        if board["uid"] in self.boards and not body["overwrite"]:
            said = "The dashboard has been changed by someone else"
            return JSONResponse({"message": said, "status": "version-mismatch"}, 412)
        self.boards[board["uid"]] = board
        version = self.versions[board["uid"]] = self.versions.get(board["uid"], 0) + 1
        return JSONResponse({"status": "success", "uid": board["uid"], "version": version})

    def _refused(self, request: Request) -> JSONResponse | None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"message": "Unauthorized"}, 401)
        return None


class RunningGrafana:
    """The fake, where it is, and `linli grafana push` to it."""

    def __init__(self, fake: FakeGrafana, url: str) -> None:
        self.fake = fake
        self.url = url

    def push(self, *options: str, token: str = TOKEN) -> Result:
        env = {"GRAFANA_TOKEN": token}
        return CliRunner().invoke(command, ["grafana", "push", self.url, *options], env=env)


@pytest.fixture
def grafana() -> Iterator[RunningGrafana]:
    fake = FakeGrafana()
    with served(fake.app) as server:
        yield RunningGrafana(fake, f"{server.url}/sub")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["grafana", *arguments])


def test_files_are_laid_out_for_grafana(tmp_path: Path) -> None:
    out = tmp_path / "provisioning"
    done = run("render", "--out", str(out), "--linli-url", "https://linli.example/x/", "--json")
    assert done.exit_code == 0, done.output
    files = {str(Path(name).relative_to(out)) for name in json.loads(done.output)["files"]}
    assert {"datasources/linli.yaml", "dashboards/linli.yaml", "alerting/linli.yaml"} <= files
    provider = yaml.safe_load((out / "dashboards/linli.yaml").read_text("utf-8"))["providers"][0]
    boards = sorted(Path(provider["options"]["path"]).glob("*.json"))
    assert len(boards) == 8
    board = json.loads(boards[0].read_text("utf-8"))
    address = next(one for one in board["templating"]["list"] if one["name"] == "linli")
    assert address["query"] == "https://linli.example/x"


def test_the_variant_without_influxdb_brings_its_own_source_and_no_rules(tmp_path: Path) -> None:
    done = run("render", "--out", str(tmp_path), "--source", "rest", "--lang", "en")
    assert done.exit_code == 0
    assert "LINLI_URL, LINLI_TOKEN" in done.output
    source = yaml.safe_load((tmp_path / "datasources/linli.yaml").read_text("utf-8"))
    assert source["datasources"][0]["type"] == "yesoreyeram-infinity-datasource"
    assert not (tmp_path / "alerting").exists()


def test_another_path_where_grafana_runs(tmp_path: Path) -> None:
    run("render", "--out", str(tmp_path), "--path-prefix", "/provisioning/")
    text = (tmp_path / "dashboards/linli.yaml").read_text("utf-8")
    assert "path: /provisioning/dashboards/linli" in text


def test_rendering_again_replaces_ours_and_leaves_the_rest(tmp_path: Path) -> None:
    run("render", "--out", str(tmp_path))
    mine, old = tmp_path / "dashboards/mine.yaml", tmp_path / "dashboards/linli/linli-old.json"
    mine.write_text("x", "utf-8")
    old.write_text("{}", "utf-8")
    assert run("render", "--out", str(tmp_path)).exit_code == 0
    assert mine.exists()
    assert not old.exists()


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "dashboards").write_text("a file", "utf-8")
    done = run("render", "--out", str(tmp_path))
    assert isinstance(done.exception, LinliError)
    assert "cannot write here" in str(done.exception)


def test_boards_are_pushed_into_a_folder_of_their_own(grafana: RunningGrafana) -> None:
    done = grafana.push("--json", "--linli-url", "http://linli.test")
    assert done.exit_code == 0, done.output
    assert [one["version"] for one in json.loads(done.output)["boards"]] == [1] * 8
    assert grafana.fake.folders == {"linli": "邻里"}
    assert len(grafana.fake.boards) == 8


def test_what_is_there_is_replaced_only_when_asked(grafana: RunningGrafana) -> None:
    assert grafana.push().exit_code == 0
    again = grafana.push()
    assert "--overwrite replaces it" in str(again.exception)
    assert "version 2" in grafana.push("--overwrite").output


def test_a_wrong_token_changes_nothing_and_is_not_repeated(grafana: RunningGrafana) -> None:
    done = grafana.push(token="glsa_wrong")
    assert isinstance(done.exception, LinliError)
    assert done.exception.exit_code == 2
    assert "the token is not accepted" in str(done.exception)
    assert "glsa_wrong" not in f"{done.output}{done.exception}"
    assert grafana.fake.folders == {}


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [(403, "role Editor", 2), (422, "not accepted (422: why)", 2), (500, "answers 500", 1)],
)
def test_what_grafana_refuses_is_said_in_one_line(
    grafana: RunningGrafana, status: int, said: str, code: int
) -> None:
    grafana.fake.fault = (status, "why")
    done = grafana.push()
    assert isinstance(done.exception, LinliError)
    assert said in str(done.exception)
    assert done.exception.exit_code == code


def test_nobody_there_no_token_and_no_address(grafana: RunningGrafana, tmp_path: Path) -> None:
    with served(FastAPI()) as gone:
        url = gone.url
    env = {"GRAFANA_TOKEN": TOKEN}
    done = CliRunner().invoke(command, ["grafana", "push", url], env=env)
    assert "cannot be reached" in str(done.exception)
    assert "no token" in str(grafana.push(token="").exception)
    empty = tmp_path / "token"
    empty.write_text("\n", "utf-8")
    assert "empty" in str(grafana.push("--token-file", str(empty)).exception)
    empty.write_text("ab\ncd\n", "utf-8")
    assert "no token" in str(grafana.push("--token-file", str(empty)).exception)
    assert "no token" in str(grafana.push(token="邻里").exception)
    for wrong in ("ftp://x", "http://[::1", "http://x:abc", "http://a b", "x"):
        assert "no address" in str(run_with_token(wrong).exception)


def test_links_lead_to_no_script(tmp_path: Path) -> None:
    done = run("render", "--out", str(tmp_path), "--linli-url", "javascript:alert(1)")
    assert isinstance(done.exception, LinliError)
    assert list(tmp_path.iterdir()) == []


def run_with_token(url: str) -> Result:
    return CliRunner().invoke(command, ["grafana", "push", url], env={"GRAFANA_TOKEN": TOKEN})


def renamed(folder: Path, board: str) -> dict[str, dict[str, str]]:
    """Return by title of a panel what of its ids is shown as what."""
    (path,) = folder.rglob(f"{board}.json")
    data = json.loads(path.read_text("utf-8"))
    return {
        panel["title"]: {
            rule["matcher"]["options"]: rule["properties"][0]["value"]
            for rule in panel["fieldConfig"]["overrides"]
            if rule["properties"][0]["id"] == "displayName"
        }
        for panel in data["panels"]
        if "fieldConfig" in panel and panel.get("targets")
    }


def test_boards_show_the_names_of_the_registry(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "data")
    config = tmp_path / "ingest.toml"
    config.write_text(f'data = "data"\n[site]\nid = "{SITE}"\nlabel = "x"\n{folder.toml}')
    with writing(folder.state) as connection:
        for changed, values in (
            (place.update().where(place.c.place == f"{SITE}/{AREA}"), {"label": "三号楼"}),
            (device.update().where(device.c.device == CAMERA), {"label": "一号电梯"}),
        ):
            connection.execute(changed.values(label_en=None, **values))
    folder.close()
    for source in ("influx", "rest"):
        out = tmp_path / source
        done = run(*("render", "--out", str(out), "--source", source, "--names-from", str(config)))
        assert done.exit_code == 0, done.output
    shown = renamed(tmp_path / "influx", "linli-overview")
    assert shown["各楼栋事件数"][AREA] == "三号楼"
    assert AREA not in shown["新发生的事件"]
    by_lift = renamed(tmp_path / "influx", "linli-lifts")["各电梯次数"]
    assert by_lift[f"{AREA} · {CAMERA}"] == "一号电梯"
    (path,) = (tmp_path / "influx").rglob("linli-edges.json")
    rules = [
        rule
        for panel in json.loads(path.read_text("utf-8"))["panels"]
        if panel["title"] == "每个盒子"
        for rule in panel["fieldConfig"]["overrides"]
        if rule["matcher"]["options"] == "area" and rule["properties"][0]["id"] == "mappings"
    ]
    (mapping,) = rules[0]["properties"][0]["value"]
    assert mapping["options"][AREA] == {"text": "三号楼", "index": 0}
    (path,) = (tmp_path / "rest").rglob("linli-edges.json")
    assert "三号楼" not in path.read_text("utf-8")  # the API says the names


def test_a_name_of_two_devices_is_none() -> None:
    target = {"alias": "$tag_area · $tag_device"}
    panel = {"type": "timeseries", "fieldConfig": {"overrides": []}, "targets": [target]}
    names = {("b01", "n1", "cam"): "A", ("b01", "n2", "cam"): "B", ("b02", "n3", "cam"): "C"}
    put({"panels": [panel]}, Names(devices=names))
    (rule,) = panel["fieldConfig"]["overrides"]
    assert rule["matcher"] == {"id": "byName", "options": "b02 · cam"}


def test_names_from_no_file_are_said_in_one_line(tmp_path: Path) -> None:
    done = run("render", "--out", str(tmp_path / "out"), "--names-from", str(tmp_path / "none"))
    assert isinstance(done.exception, LinliError)
    assert not (tmp_path / "out").exists()
