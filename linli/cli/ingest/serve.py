"""Running the ingest: the parent, the receiver, the web side, and writing its settings."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ingest.settings import CLIENT_ID, IngestSettings, load_settings
from ingest.supervise import supervise
from linli.cli.ingest.options import config_option
from linli.errors import InputError
from linli.process import StopSignal, no_core_dumps
from linli.settings import make_folder, write_secret
from linli.topics import is_id


@click.command(epilog="Example: linli ingest run --config ingest.toml")
@config_option
def run(config: Path) -> None:
    """Run the ingest: receiver and web, restarted when one falls, until Ctrl-C or SIGTERM."""
    stop = _stop_signal()
    supervise(load_settings(config), config, stop)


@click.command(epilog="Example: linli ingest receiver --config ingest.toml")
@config_option
def receiver(config: Path) -> None:
    """Run only the receiver: broker to journal. `run` starts it by itself."""
    from ingest.receive.process import run_receiver
    from ingest.store.choose import database_of

    no_core_dumps()
    settings = load_settings(config)
    database_of(settings).prepare()
    run_receiver(settings, _stop_signal())


@click.command(epilog="Example: linli ingest web --config ingest.toml")
@config_option
def web(config: Path) -> None:
    """Run only the web side: consumers, API, pages. `run` starts it by itself."""
    import gc  # here, because neither parent nor receiver must pay for the web's imports

    import uvicorn

    from dashboards.web.mount import mount
    from dashboards.web.notices import WebWording
    from ingest.app import create_app
    from linli.codec import prepare_types

    no_core_dumps()  # passwords, pictures and names are in memory
    settings = load_settings(config)
    prepare_types()
    app = create_app(settings, wording=WebWording())
    app.state.ready = lambda: click.echo(_ready_line(settings))
    app.state.house.claim()  # before the server, so that a refusal is one line
    mount(
        app,
        app.state.services,
        site=settings.site.label,
        zone=settings.site.timezone,
        clock=app.state.clock,
    )
    # All that is loaded by now stays. Left among what the collector walks through, every full
    # collection takes a tenth of a second out of some page.
    gc.collect()
    gc.freeze()
    uvicorn.run(
        app,
        host=settings.http.host,
        port=settings.http.port,
        log_config=None,
        access_log=False,
        server_header=False,
        # Anyone could name any address in a header; wrong tries are counted by address. The
        # application believes those of `http.proxies` alone.
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )


def _ready_line(settings: IngestSettings) -> str:
    http, mqtt = settings.http, settings.mqtt
    pages = f"http://{http.host}:{http.port}{http.path_prefix}/"
    return f"Linli is ready: pages at {pages}, messages from {mqtt.host}:{mqtt.port}"


@click.command(
    epilog="Example: linli ingest init --config server/ingest.toml --site c001 --label 和园社区"
)
@config_option
@click.option("--site", required=True, help="Id of the community: a-z, 0-9 and '-'")
@click.option("--label", required=True, help="What people call it, in any language")
@click.option("--mqtt-port", default=1883, show_default=True, help="Port of the broker")
@click.option("--http-port", default=8470, show_default=True, help="Port of pages and API")
def init(config: Path, site: str, label: str, mqtt_port: int, http_port: int) -> None:
    """Write a settings file, and the broker password it names; overwrites neither.

    `linli broker run --data FOLDER` with the folder of the settings file uses the same password.
    """
    from secrets import token_urlsafe

    if not is_id(site):
        raise InputError(f"site {site!r} is not an id", hint="Use a-z, 0-9 and '-'")
    if config.exists():
        raise InputError("is there already", where=str(config), hint="Edit it, or choose another")
    folder = make_folder(config.resolve().parent, mode=0o755)
    secret = make_folder(folder / "secrets") / CLIENT_ID
    if not secret.exists():
        write_secret(secret, token_urlsafe(24))
    quoted = json.dumps(label, ensure_ascii=False)
    config.write_text(
        f'data = "data"\n\n[site]\nid = "{site}"\nlabel = {quoted}\n\n'
        f'[mqtt]\nhost = "127.0.0.1"\nport = {mqtt_port}\nusername = "{CLIENT_ID}"\n'
        f'password_file = "secrets/{CLIENT_ID}"\n\n'
        f'[http]\nhost = "127.0.0.1"\nport = {http_port}\n',
        encoding="utf-8",
    )
    load_settings(config)
    click.echo(f"{config} written. Start with: linli ingest run --config {config}")


def _stop_signal() -> StopSignal:
    stop = StopSignal()
    stop.install()
    return stop
