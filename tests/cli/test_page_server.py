"""The finished report on this machine."""

import threading
import urllib.error
import urllib.request

import pytest

from nobishiro.cli import page_server


@pytest.fixture
def address(tmp_path, monkeypatch):
    (tmp_path / "report.html").write_text("<p>map</p>", "utf-8")
    (tmp_path / "inner").mkdir()
    servers = []
    make = page_server.http.server.ThreadingHTTPServer

    def remember(*args):
        servers.append(make(*args))
        return servers[-1]

    monkeypatch.setattr(page_server.http.server, "ThreadingHTTPServer", remember)
    ready, found = threading.Event(), []
    thread = threading.Thread(
        target=page_server.serve_directory, args=(tmp_path, 0, lambda url: (found.append(url), ready.set()))
    )
    thread.start()
    assert ready.wait(10)
    yield found[0]
    servers[0].shutdown()
    thread.join(10)


def test_the_root_is_the_report_for_get_and_head(address):
    with urllib.request.urlopen(address) as answer:
        assert answer.read() == b"<p>map</p>"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with urllib.request.urlopen(urllib.request.Request(address, method="HEAD")) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("path", ["inner/", "../nobishiro.json", "%2e%2e/nobishiro.json"])
def test_directories_and_what_lies_above_are_not_there(address, path):
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(address + path)
    assert error.value.code == 404
    error.value.close()


def test_only_this_machine_is_served(address):
    assert address.startswith("http://127.0.0.1:")
