"""OpenStack Swift, all of it in one process; run by the system's Python, which has it.

/usr/bin/python3 swift_server.py FOLDER: writes the port of its S3 to stdout, ends with its stdin.
One device, one copy; accounts of tempauth, where `test:reader` may read what is let to it. No
request may carry more than 16 MiB, so that what has more must go in parts, as above 5 GB
elsewhere. While there is a file `falls`, it ends without a word when parts shall become an object.
"""

from __future__ import annotations

import array
import os
import sys
from pathlib import Path

import eventlet
import eventlet.wsgi
from swift.common import utils

SWIFT = (
    "[swift-hash]\nswift_hash_path_suffix = tests\n[swift-constraints]\nmax_file_size = 16777216\n"
)
utils.eventlet_monkey_patch()
folder = Path(sys.argv[1])
(folder / "swift.conf").write_text(SWIFT)
utils.set_swift_dir(str(folder))

from swift.common import wsgi  # noqa: E402  # its folder must be known first
from swift.common.ring import RingData  # noqa: E402

COMMON = "[DEFAULT]\nswift_dir = {folder}\ndevices = {folder}\nmount_check = false\n"
STORE = COMMON + "fallocate_reserve = 0\n[app:main]\nuse = egg:swift#{name}\n"
PROXY = COMMON + (
    "[pipeline:main]\n"
    "pipeline = catch_errors gatekeeper cache s3api tempauth bulk slo dlo proxy-server\n"
    "[filter:catch_errors]\nuse = egg:swift#catch_errors\n"
    "[filter:gatekeeper]\nuse = egg:swift#gatekeeper\n"
    "[filter:cache]\npaste.filter_factory = swift_server:cache\n"
    "[filter:s3api]\nuse = egg:swift#s3api\n"
    "[filter:tempauth]\nuse = egg:swift#tempauth\n"
    "user_test_tester = testing .admin\nuser_test_reader = reading\n"
    "[filter:bulk]\nuse = egg:swift#bulk\n"
    "[filter:slo]\nuse = egg:swift#slo\n"
    "[filter:dlo]\nuse = egg:swift#dlo\n"
    "[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\n"
)


class Memory:
    """What memcached does for it, in this process and without an end."""

    def __init__(self):
        self._kept = {}

    def get(self, key, **_):
        return self._kept.get(key)

    def set(self, key, value, **_):
        self._kept[key] = value

    def delete(self, key, **_):
        self._kept.pop(key, None)

    def incr(self, key, delta=1, **_):
        self._kept[key] = max(0, int(self._kept.get(key, 0)) + delta)
        return self._kept[key]


def cache(*_, **__):
    memory = Memory()

    def around(app):
        def call(env, start):
            env["swift.cache"] = memory
            if env["REQUEST_METHOD"] == "POST" and "uploadId" in env.get("QUERY_STRING", ""):
                (folder / "falls").exists() and os._exit(1)
            return app(env, start)

        return call

    return around


def serve(name, text):
    """Listen as one of the four; return the port."""
    listener = eventlet.listen(("127.0.0.1", 0))
    path = folder / f"{name}.conf"
    path.write_text(text.format(folder=folder, name=name))
    port = listener.getsockname()[1]
    if name != "proxy":
        device = {"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "d1"}
        RingData([array.array("H", [0])], [device], 32).save(str(folder / f"{name}.ring.gz"))
    application = wsgi.loadapp(str(path), global_conf={"log_name": name})
    told = {"protocol": wsgi.SwiftHttpProtocol, "capitalize_response_headers": False}
    eventlet.spawn(eventlet.wsgi.server, listener, application, utils.NullLogger(), **told)
    return port


if __name__ == "__main__":
    sys.modules["swift_server"] = sys.modules["__main__"]
    os.chdir(folder)
    (folder / "d1").mkdir(exist_ok=True)
    for store in ("account", "container", "object"):
        serve(store, STORE)
    sys.stdout.write(f"{serve('proxy', PROXY)}\n")
    sys.stdout.flush()
    eventlet.tpool.execute(sys.stdin.read)
