"""The demo as a server: who gets in, how many, and for how long."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import psutil
import pytest

from lildata_utils.cli.main import main
from lildata_utils.errors import LilDataError
from lildata_utils.show import demo
from lildata_utils.show.settings import Demo

PROXY = "class.example.org"
MOST, CLOSED_S, IDLE_S = 2, 3, 4


def test_without_voila_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "voila.app", None)
    assert main(["demo"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("lildata: the demo needs Voila")
    assert "install lildata-utils[demo]" in line


def test_a_port_in_use_is_named(capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["demo", "--port", str(port), "--no-browser"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert f"port {port}" in line
    assert "--port" in line


def test_the_page_is_not_one_of_the_course_s_notebooks_and_was_never_run():
    page = json.loads((demo.PAGE_FOLDER / "panel.ipynb").read_text())
    [code] = [cell for cell in page["cells"] if cell["cell_type"] == "code"]
    assert "TransferPanel(clips)" in "".join(code["source"])
    assert code["outputs"] == []


@pytest.mark.parametrize("prefix", ["/a b/", "/(.*)/", "ftp://x.org/", "/x?y", "https:///x"])
def test_a_prefix_is_a_path_or_an_address(prefix):
    with pytest.raises(LilDataError, match="prefix must be a path"):
        Demo(prefix=prefix)


def test_in_a_network_it_has_the_addresses_of_the_machine_and_no_others():
    known = demo.addresses(Demo(host="0.0.0.0", port=80, prefix="https://Class.example.org:8443/x"))
    own = [one.address for card in psutil.net_if_addrs().values() for one in card]
    assert known[0].removesuffix(":80") in own
    assert {"127.0.0.1:80", "localhost", "[::1]:80", "class.example.org:8443"} <= set(known)
    assert demo.addresses(Demo(host="10.1.2.3"))[0] == "10.1.2.3:8866"


def is_kernel(process):
    try:
        return "ipykernel_launcher" in " ".join(process.cmdline())
    except psutil.Error:  # it ended just now
        return False


class Running:
    """A demo behind a proxy, for few visitors, and requests to it."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.at = f"127.0.0.1:{self.port}"
        # A page that computes nothing: the panel itself is tested in a browser.
        page = folder / "page"
        shutil.copytree(demo.PAGE_FOLDER, page)
        notebook = json.loads((demo.PAGE_FOLDER / "panel.ipynb").read_text())
        notebook["cells"][1]["source"] = "1 + 1"
        (page / "panel.ipynb").write_text(json.dumps(notebook))
        code = (
            "import sys; from pathlib import Path; from lildata_utils.cli.main import main;"
            "from lildata_utils.show import demo; demo.PAGE_FOLDER = Path(sys.argv.pop(1));"
            "sys.exit(main(sys.argv[1:]))"
        )
        words = ["demo", "--no-browser", f"--port={self.port}", f"--prefix=https://{PROXY}/lildata"]
        limits = [f"--visitors={MOST}", f"--closed={CLOSED_S}", f"--idle={IDLE_S}"]
        self.log = (folder / "log").open("w+")
        self.server = subprocess.Popen(
            [sys.executable, "-c", code, str(page), *words, *limits],
            env={**os.environ, "IPYTHONDIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self.link = urlsplit(self.server.stdout.readline().split()[0])
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                break
            except OSError:
                assert self.server.poll() is None
                time.sleep(0.1)

    @property
    def page(self):
        return f"{self.link.path}?{self.link.query}"

    def ask(self, path, host=None, method="GET", **headers):
        """Send a request; give its status, its headers and its text."""
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        asked.putrequest(method, path, skip_host=True)
        asked.putheader("Host", host or self.at)
        for name, value in headers.items():
            asked.putheader(name.replace("_", "-"), value)
        asked.endheaders()
        answer = asked.getresponse()
        if answer.status == 101:
            return 101, answer.headers, asked  # open as long as the caller keeps it
        text = answer.read().decode(errors="replace")
        asked.close()
        return answer.status, answer.headers, text

    def visit(self):
        """Open the page as a browser does: give its cookies and the number of its kernel."""
        status, headers, text = self.ask(self.page)
        assert status == 200
        cookies = [value.split(";")[0] for value in headers.get_all("Set-Cookie")]
        return "; ".join(cookies), re.search(r'"kernelId": ?"([\w-]+)"', text)[1]

    def kernels(self):
        return [one for one in psutil.Process(self.server.pid).children() if is_kernel(one)]

    def wait_until_empty(self, seconds):
        end_s = time.monotonic() + seconds
        while self.kernels():
            assert time.monotonic() < end_s, "kernels stay"
            time.sleep(0.1)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    pytest.importorskip("voila")
    demo = Running(tmp_path_factory.mktemp("demo"))
    yield demo
    demo.server.send_signal(signal.SIGTERM)
    demo.server.wait(30)
    demo.log.seek(0)
    assert not re.search("Traceback|token", demo.log.read())


def websocket(cookies, **headers):
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13"}
    return {
        **upgrade,
        "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Cookie": cookies,
        **headers,
    }


def test_nothing_is_answered_at_a_foreign_address_or_without_the_token(running):
    inside = running.link.path
    paths = [inside, f"{inside}voila/static/voila.js", f"{inside}login", "/login", "/", "/x"]
    paths += [f"{inside}voila/templates/lab/static/voila.js", f"{inside}api/kernels/{'0' * 36}"]
    for path in paths:
        for method in ("GET", "POST", "HEAD", "OPTIONS", "DELETE"):
            for query in ("", "?token=", "?token=0123", f"?{running.link.query}"):
                host = "evil.example:80" if query.endswith(running.link.query) else None
                status, headers, text = running.ask(path + query, host, method)
                assert status == 403, (path, method, query)
                assert "Set-Cookie" not in headers
                assert len(text) < 300
    for host in (
        "evil.example",
        f"127.0.0.1.evil.example:{running.port}",
        f"127.0.0.1:{running.port + 1}",
    ):
        assert running.ask(running.page, host)[0] == 403
    for origin in ("http://evil.example", "null", f"http://localhost:{running.port + 1}"):
        assert running.ask(running.page, Origin=origin)[0] == 403
    assert running.kernels() == []


def test_thirty_visits_start_no_more_kernels_than_there_are_places(running):
    running.wait_until_empty(30)
    with ThreadPoolExecutor(8) as visitors:
        asked = [visitors.submit(running.ask, running.page) for _ in range(30)]
        while not all(one.done() for one in asked):
            assert len(running.kernels()) <= MOST
            time.sleep(0.05)
    answers = [one.result() for one in asked]
    told = [text for status, _, text in answers if status == 503]
    served = [text for status, _, text in answers if status == 200]
    assert len(served) + len(told) == 30
    assert served
    assert f"All places ({MOST}) are taken" in told[0]
    running.wait_until_empty(CLOSED_S + 10)
    assert running.ask(running.page)[0] == 200


def test_a_page_is_reached_under_its_names_and_by_its_cookie(running):
    running.wait_until_empty(CLOSED_S + 10)
    cookies, kernel = running.visit()
    inside = running.link.path
    script = f"{inside}voila/static/voila.js"
    assert running.ask(script, Cookie=cookies)[0] == 200
    by_proxy = running.ask(f"{script}?{running.link.query}", PROXY, Origin=f"https://{PROXY}")
    assert by_proxy[0] == 200
    path = f"{inside}api/kernels/{kernel}"
    assert running.ask(path, Cookie=cookies)[0] == 200
    socket_path = f"{path}/channels"
    own = {"Origin": f"http://{running.at}"}
    assert running.ask(socket_path, **websocket(cookies, **own))[0] == 101
    assert running.ask(socket_path, "evil.example", **websocket(cookies))[0] == 403
    assert running.ask(socket_path, **websocket("", **own))[0] == 403
    foreign = websocket(cookies, Origin="http://evil.example")
    assert running.ask(socket_path, **foreign)[0] == 403
    # Nor with the token, by which Jupyter asks for no Origin.
    assert running.ask(f"{socket_path}?{running.link.query}", **foreign)[0] == 403

    # What the page sends when it is closed.
    token = re.search("_xsrf=([^;]+)", cookies)[1]
    closing = {"Cookie": cookies, "Content_Length": "0", "X_XSRFToken": token}
    close = f"{inside}voila/api/shutdown/{kernel}"
    assert running.ask(close, method="POST", Cookie=cookies, Content_Length="0")[0] == 403
    assert running.ask(close, method="POST", **closing)[0] == 204
    running.wait_until_empty(2)


def test_a_page_that_is_open_and_not_used_is_ended(running):
    running.wait_until_empty(CLOSED_S + 10)
    cookies, kernel = running.visit()
    path = f"{running.link.path}api/kernels/{kernel}"
    status, _, connection = running.ask(f"{path}/channels", **websocket(cookies))
    assert status == 101
    assert json.loads(running.ask(path, Cookie=cookies)[2])["connections"] == 1
    running.wait_until_empty(IDLE_S + 10)
    connection.close()
