"""A package index on 127.0.0.1, with wheels that are made in memory."""

import hashlib
import html
import json
import threading
from base64 import urlsafe_b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from tests.artifacts import zip_bytes

JSON_PAGE = "application/vnd.pypi.simple.v1+json"


def dependency_wheel(name, version="1.0", *, requires=(), python="", files=None, metadata=None):
    """A wheel of a module of that name which knows its own version."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"]
    lines += [f"Requires-Dist: {text}\n" for text in requires]
    lines += [f"Requires-Python: {python}\n"] if python else []
    content = {
        f"{module}/__init__.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": metadata or "".join(lines),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **(files or {}),
    }
    record = "".join(_record_line(path, text) for path, text in content.items())
    return zip_bytes({**content, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"})


def _record_line(path, content):
    data = content.encode() if isinstance(content, str) else content
    digest = urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    return f"{path},sha256={digest},{len(data)}\n"


class LocalIndex:
    """What it lists can be changed at any time; ``asked`` is every path that was asked for."""

    def __init__(self, *, as_html=False, serve=True):
        self.files, self.pages, self.asked, self.redirects = {}, {}, [], {}
        self.broken = 0
        self.open = threading.Event()  # while it is clear, nothing is answered
        self.open.set()
        self.as_html = as_html
        self.seen_headers = []
        self._server = None
        self.host = "index.test"
        if serve:
            self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
            self.host = f"127.0.0.1:{self._server.server_port}"
            threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return f"http://{self.host}/index/"

    def stop(self):
        if self._server:
            self._server.shutdown()
            self._server.server_close()

    def add(self, name, version="1.0", *, tag="py3-none-any", data=None, entry=None, **wheel):
        """A wheel, listed with its digest; ``entry`` changes how; the digest is returned."""
        data = dependency_wheel(name, version, **wheel) if data is None else data
        return self.add_file(f"{name.replace('-', '_')}-{version}-{tag}.whl", data, name, entry)

    def add_sdist(self, name, version="1.0"):
        return self.add_file(f"{name}-{version}.tar.gz", b"never to be opened", name)

    def add_file(self, filename, data, name, entry=None):
        digest = hashlib.sha256(data).hexdigest()
        self.files[f"/files/{filename}"] = data
        listed = {
            "filename": filename,
            "url": f"../../files/{filename}",
            "hashes": {"sha256": digest},
            "yanked": False,
        }
        self.pages.setdefault(name, []).append(listed | (entry or {}))
        return digest

    def add_metadata(self, filename, text):
        """METADATA beside a wheel, as PEP 658 has it; listed without its digest."""
        self.files[f"/files/{filename}.metadata"] = text.encode()

    def page(self, name):
        if not self.as_html:
            body = json.dumps({"meta": {"api-version": "1.1"}, "files": self.pages[name]})
            return JSON_PAGE, body.encode()
        return "text/html; charset=utf-8", "".join(map(_anchor, self.pages[name])).encode()

    def answer(self, path):
        if path in self.redirects:
            return 302, "", self.redirects[path].encode()
        if path.startswith("/index/"):
            name = path.removeprefix("/index/").rstrip("/")
            return (200, *self.page(name)) if name in self.pages else (404, "", b"")
        data = self.files.get(path)
        return (404, "", b"") if data is None else (200, "application/octet-stream", data)

    def _handler(index):  # noqa: N805 - the handler has a self of its own
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                index.asked.append(unquote(self.path))
                index.seen_headers.append(dict(self.headers))
                index.open.wait(60)
                if index.broken:
                    index.broken -= 1
                    self.send_error(503)
                    return
                status, kind, body = index.answer(unquote(self.path))
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", body.decode())
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Nothing: a test that fails shows what it looked at."""

        return Handler


def _anchor(entry):
    attributes = {"href": f"{entry['url']}#sha256={entry['hashes'].get('sha256', '')}"}
    if entry.get("requires-python"):
        attributes["data-requires-python"] = entry["requires-python"]
    if entry.get("yanked"):
        attributes["data-yanked"] = "broken"
    if entry.get("core-metadata"):
        attributes["data-dist-info-metadata"] = "true"
    text = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<a {text}>{entry['filename']}</a><br>\n"
