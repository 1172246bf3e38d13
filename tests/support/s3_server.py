"""A stand-in for a server that speaks S3: one bucket in memory, signatures worked out anew.

Every request's AWS Signature V4 is computed here from the published description and compared.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

ACCESS, SECRET, BUCKET = "AKIALINLI", "a secret of the tests", "estate"
_XML = '<?xml version="1.0" encoding="UTF-8"?>'


class S3Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.harm = False
        self.refuses: str | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def running() -> Iterator[S3Server]:
    server = S3Server()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _sign(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class _Handler(BaseHTTPRequestHandler):
    server: S3Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
        del format, args

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._admitted(data):
            return
        upload = self._query.get("uploadId")
        if upload is not None:
            self.server.parts[upload][int(self._query["partNumber"])] = data
        else:
            self.server.objects[self._key] = data[:-1] if self.server.harm else data
        self._answer(200, etag=True)

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self._admitted(data):
            return
        if "delete" in self._query:
            keys = re.findall(r"<Key>(.*?)</Key>", data.decode())
            for key in keys:
                self.server.objects.pop(key, None)
            gone = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
            self._answer(200, f"<DeleteResult>{gone}</DeleteResult>")
            return
        upload = self._query.get("uploadId")
        if upload is None:
            upload = f"u{len(self.server.parts)}"
            self.server.parts[upload] = {}
            self._answer(
                200,
                f"<InitiateMultipartUploadResult><Bucket>{BUCKET}</Bucket><Key>"
                f"{escape(self._key)}</Key><UploadId>{upload}</UploadId>"
                "</InitiateMultipartUploadResult>",
            )
            return
        parts = self.server.parts.pop(upload)
        self.server.objects[self._key] = b"".join(parts[one] for one in sorted(parts))
        self._answer(
            200,
            f"<CompleteMultipartUploadResult><Bucket>{BUCKET}</Bucket><Key>"
            f"{escape(self._key)}</Key><ETag>&quot;x&quot;</ETag></CompleteMultipartUploadResult>",
        )

    def do_GET(self) -> None:
        if not self._admitted(b""):
            return
        if "list-type" in self._query and urlsplit(self.path).path.split("/")[1] != BUCKET:
            self._answer(404, "<Error><Code>NoSuchBucket</Code></Error>")
        elif "list-type" in self._query:
            self._list()
        elif self._key in self.server.objects:
            self._answer(200, self.server.objects[self._key], etag=True)
        else:
            self._answer(404, "<Error><Code>NoSuchKey</Code></Error>")

    def do_DELETE(self) -> None:
        if self._admitted(b""):
            self.server.objects.pop(self._key, None)
            self._answer(204)

    @property
    def _query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))

    @property
    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix(f"/{BUCKET}").lstrip("/")

    def _list(self) -> None:
        prefix = self._query.get("prefix", "")
        found = "".join(
            f"<Contents><Key>{escape(name)}</Key><LastModified>2026-03-02T12:00:00.000Z"
            f"</LastModified><ETag>&quot;x&quot;</ETag><Size>{len(data)}</Size></Contents>"
            for name, data in sorted(self.server.objects.items())
            if name.startswith(prefix)
        )
        self._answer(
            200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>"
        )

    def _admitted(self, data: bytes) -> bool:
        if self.server.refuses is not None:
            told = f"<Code>{self.server.refuses}</Code><Message>x &lt; y</Message>"
            self._answer(400, f"<Error>{told}</Error>")
            return False
        if self._signed(data):
            return True
        self._answer(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>")
        return False

    def _signed(self, data: bytes) -> bool:
        kind, _, rest = self.headers.get("Authorization", "").partition(" ")
        told = dict(one.strip().partition("=")[::2] for one in rest.split(","))
        access, _, scope = told.get("Credential", "").partition("/")
        if kind != "AWS4-HMAC-SHA256" or access != ACCESS:
            return False
        claimed = self.headers["x-amz-content-sha256"]
        if claimed not in {hashlib.sha256(data).hexdigest(), "UNSIGNED-PAYLOAD"}:
            return False
        parts = urlsplit(self.path)
        names = told["SignedHeaders"].split(";")
        asked = sorted(parse_qsl(parts.query, keep_blank_values=True))
        query = "&".join(f"{quote(a, safe='-_.~')}={quote(b, safe='-_.~')}" for a, b in asked)
        headers = "".join(f"{one}:{' '.join(self.headers[one].split())}\n" for one in names)
        canonical = "\n".join([self.command, parts.path, query, headers, ";".join(names), claimed])
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = "\n".join(["AWS4-HMAC-SHA256", self.headers["x-amz-date"], scope, digest])
        key = b"AWS4" + SECRET.encode()
        for one in scope.split("/"):
            key = _sign(key, one)
        return hmac.compare_digest(_sign(key, text).hex(), told["Signature"])

    def _answer(self, code: int, body: str | bytes = b"", *, etag: bool = False) -> None:
        data = body if isinstance(body, bytes) else (_XML + body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Last-Modified", "Mon, 02 Mar 2026 12:00:00 GMT")
        if etag:
            self.send_header("ETag", f'"{hashlib.md5(data).hexdigest()}"')
        self.end_headers()
        self.wfile.write(data)
