"""Fetching, against a server on this machine that behaves well and badly."""

import dataclasses
import errno
import hashlib
import http.server
import io
import os
import socket
import tarfile
import threading
import time
import types

import numpy as np
import pytest

from neurosim.data import fetch
from neurosim.data.sources.base import Archive
from neurosim.data.sources.cifar10 import Cifar10
from neurosim.errors import DataError

LAYOUT = dataclasses.replace(Cifar10.files, train_rows=3, test_rows=2)


def contents():
    rng = np.random.default_rng(3)
    files = {f"{file}.bin": rng.bytes(count * LAYOUT.row_bytes) for file, count in LAYOUT.rows.items()}
    return files | {"batches.meta.txt": b"\n".join(b"kind%d" % number for number in range(10))}


def packed(files, prefix="cifar-10-batches-bin/", extra=()):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(prefix + name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        for member in extra:
            tar.addfile(member)
    return buffer.getvalue()


GOOD = packed(contents())


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `server.data` as `server.mode` says, and notes every Range asked for."""

    def do_GET(self):
        data, mode, asked = self.server.data, self.server.mode, self.headers.get("Range")
        self.server.asked.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if mode == "moved":
            self.send_response(302)
            self.send_header("Location", "http://example.org/x")
            self.end_headers()
            return
        if mode == "slow":
            time.sleep(0.5)
        if mode == "missing":
            self.send_error(404)
            return
        if asked and mode != "no ranges" and start >= len(data):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(data)}")
            self.end_headers()
            return
        ranged = asked is not None and mode != "no ranges"
        body = data[start:] if ranged else data
        self.send_response(206 if ranged else 200)
        if ranged:
            first = start + 1 if mode == "other part" else start
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        if mode != "no length":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if mode == "breaks" else body)

    def log_message(self, *_):
        """Keep the test's output clean."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(Cifar10, "files", LAYOUT)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.data, server.mode, server.asked = GOOD, "good", []
        address = f"http://127.0.0.1:{server.server_port}/archive.tar.gz"
        serve(monkeypatch, GOOD, address)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def serve(monkeypatch, data, address=None):
    """Make ``data`` the official archive."""
    address = address or Cifar10.files.archive.url
    archive = Archive(address, hashlib.md5(data).hexdigest(), 1000)
    monkeypatch.setattr(Cifar10, "files", dataclasses.replace(Cifar10.files, archive=archive))


def whole(folder):
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == contents()
    assert sorted(path.name for path in folder.parent.iterdir()) == [folder.name], "nothing is left beside it"


def refused(data_dir, *words, **options):
    with pytest.raises(DataError) as caught:
        fetch.fetch("cifar10", data_dir, **options)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def part(tmp_path):
    return tmp_path / "cifar-10-binary.tar.gz.part"


def test_the_official_archives():
    assert {name: (files.archive.url, files.archive.md5) for name, files in fetch.fetchable().items()} == {
        "cifar10": ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"),
        "cifar100": ("https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8"),
        "stl10": ("https://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz", "91f7769df0f17e558f3565bffb0c7dfb"),
    }


@pytest.mark.parametrize("mode", ["good", "no ranges", "no length"])
def test_fetches_once_and_can_be_read(mode, server, tmp_path):
    server.mode = mode
    seen = []
    folder = fetch.fetch("cifar10", tmp_path / "new" / "dir", progress=lambda *step: seen.append(step))
    assert folder == tmp_path / "new" / "dir" / "cifar-10-batches-bin"
    whole(folder)
    assert seen[-1] == (len(GOOD), None if mode == "no length" else len(GOOD))
    assert fetch.fetch("cifar10", tmp_path / "new" / "dir") == folder
    assert server.asked == [None]


def test_many_blocks_are_reported_one_by_one(server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "CHUNK", 1000)
    seen = []
    whole(fetch.fetch("cifar10", tmp_path, progress=lambda done, total: seen.append(done)))
    assert seen == [*range(1000, len(GOOD), 1000), len(GOOD)]


def test_a_broken_download_is_resumed(server, tmp_path):
    server.mode = "breaks"
    refused(tmp_path, "127.0.0.1")
    half = part(tmp_path).stat().st_size
    assert 0 < half <= len(GOOD) // 2
    server.mode = "good"
    seen = []
    whole(fetch.fetch("cifar10", tmp_path, progress=lambda *step: seen.append(step)))
    assert server.asked == [None, f"bytes={half}-"]
    assert seen[-1] == (len(GOOD), len(GOOD))


def test_a_server_without_ranges_starts_anew(server, tmp_path):
    part(tmp_path).write_bytes(b"something else")
    server.mode = "no ranges"
    whole(fetch.fetch("cifar10", tmp_path))


def test_another_part_than_asked_for(server, tmp_path):
    part(tmp_path).write_bytes(GOOD[:100])
    server.mode = "other part"
    refused(tmp_path, "sends another part", "expected bytes from 100")
    assert part(tmp_path).read_bytes() == GOOD[:100]


def test_a_part_that_is_already_whole(server, tmp_path):
    part(tmp_path).write_bytes(GOOD)
    whole(fetch.fetch("cifar10", tmp_path))
    assert server.asked == [f"bytes={len(GOOD)}-"]


def test_a_part_that_is_too_long_is_removed(server, tmp_path):
    part(tmp_path).write_bytes(GOOD + b"more")
    refused(tmp_path, "checksum", "was removed", "run it again")
    assert not part(tmp_path).exists()
    whole(fetch.fetch("cifar10", tmp_path))


def test_a_wrong_checksum_is_removed(server, tmp_path):
    server.data = b"<html>Sign in to the network</html>"
    refused(tmp_path, hashlib.md5(server.data).hexdigest(), f"expected {hashlib.md5(GOOD).hexdigest()}", "was removed")
    assert list(tmp_path.iterdir()) == []


def test_refusal_of_the_server(server, tmp_path):
    server.mode = "missing"
    refused(tmp_path, "answers 404 Not Found", "url=")
    assert list(tmp_path.iterdir()) == []


def test_no_network(server, tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/x"
    refused(tmp_path, f"{url} cannot be reached (Connection refused)", "file:///PATH", url=url)


def test_no_name_server(server, tmp_path, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    refused(tmp_path, "cannot be reached (Name or service not known)", url="https://nowhere.invalid/x")


def test_no_answer(server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "TIMEOUT", 0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        refused(tmp_path, "timed out", url=f"http://127.0.0.1:{silent.getsockname()[1]}/x")


@pytest.mark.parametrize(
    "url", ["ftp://x/y", "archive.tar.gz", "", "/tmp/x", "http://", "http://[", "https://a b/c", "https://x:y/"]
)
def test_addresses_that_are_none(url, server, tmp_path):
    refused(tmp_path, "the address" if "http" not in url else "cannot be reached", url=url)


@pytest.mark.parametrize("url", ["http://example.org/x.tar.gz", "HTTP://127.0.0.1.example.org/x", "http://10.0.0.1/x"])
def test_what_anybody_on_the_way_can_change_is_refused(url, server, tmp_path):
    refused(tmp_path, "which anybody on the way can read and change", "expected https:// or file:///", url=url)


def test_a_server_that_points_to_no_https_is_not_followed(server, tmp_path):
    server.mode = "moved"
    refused(tmp_path, "http://example.org/x", "expected https://")
    assert server.asked == [None]


def test_two_who_fetch_one_archive_wait_for_each_other(server, tmp_path, capsys):
    server.mode, found = "slow", []
    both = [threading.Thread(target=lambda: found.append(fetch.fetch("cifar10", tmp_path))) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    whole(tmp_path / "cifar-10-batches-bin")
    assert found == [tmp_path / "cifar-10-batches-bin"] * 2 and server.asked == [None]
    assert f"waiting for process {os.getpid()} on " in capsys.readouterr().err


def test_mirror(server, tmp_path, monkeypatch):
    serve(monkeypatch, GOOD, "https://nowhere.invalid/x")
    whole(fetch.fetch("cifar10", tmp_path, url=f"http://localhost:{server.server_port}/mirror"))


def test_file_address(server, tmp_path):
    path = tmp_path / "a file.tar.gz"
    refused(tmp_path / "out", "no file at", url=path.as_uri())
    path.write_bytes(GOOD)
    whole(fetch.fetch("cifar10", tmp_path / "out", url=path.as_uri()))
    assert path.read_bytes() == GOOD and server.asked == []
    path.write_bytes(b"other")
    refused(tmp_path / "new", "checksum", "give another, url=", url=path.as_uri())
    refused(tmp_path / "new", "no file at", url="file://elsewhere/x")
    assert path.exists(), "a file of the user's is never removed"


def test_archive_that_lies_there_already(server, tmp_path):
    own = tmp_path / "cifar-10-binary.tar.gz"
    own.write_bytes(GOOD)
    folder = fetch.fetch("cifar10", tmp_path)
    assert LAYOUT.complete(folder) and own.exists() and server.asked == []


def test_an_incomplete_folder_is_completed(server, tmp_path):
    folder = tmp_path / LAYOUT.binary
    folder.mkdir()
    (folder / "data_batch_1.bin").write_bytes(b"cut short")
    whole(fetch.fetch("cifar10", tmp_path))


def test_no_path_in_an_archive_leads_elsewhere(server, tmp_path, monkeypatch):
    out, target = tmp_path / "out", tmp_path / "target"
    link = tarfile.TarInfo("cifar-10-batches-bin/escape")
    link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
    over = tarfile.TarInfo("cifar-10-batches-bin/test_batch.bin")
    over.type, over.linkname = tarfile.LNKTYPE, "../../target"
    names = ("../target", str(target), "cifar-10-batches-bin/../../target", "cifar-10-batches-bin/escape/target")
    server.data = packed(contents(), extra=[*map(tarfile.TarInfo, names), link, over])
    serve(monkeypatch, server.data)
    whole(fetch.fetch("cifar10", out))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (packed({"test_batch.bin": b"x"}), "lacks files of cifar10"),
        (packed({**contents(), "data_batch_2.bin": b"x"}), "lacks files of cifar10"),
        (packed(contents(), prefix="other/"), "lacks files of cifar10"),
        (b"no archive", "cannot be unpacked"),
        (GOOD[:2000], "cannot be unpacked"),
    ],
)
def test_archives_of_other_content(data, words, server, tmp_path, monkeypatch):
    server.data = data
    serve(monkeypatch, data)
    refused(tmp_path, words)
    assert not (tmp_path / LAYOUT.binary).exists()


def test_too_little_space(server, tmp_path, monkeypatch):
    serve(monkeypatch, GOOD)
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda _: types.SimpleNamespace(free=500))
    refused(tmp_path, "MB free", "data_dir")


def test_disk_that_fills_up(server, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(fetch.os, "replace", full)
    refused(tmp_path, f"no space left in {tmp_path}")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_download_that_fills_the_disk(server, tmp_path):
    os.symlink("/dev/full", part(tmp_path))
    refused(tmp_path, f"no space left in {tmp_path}")


def test_a_data_dir_that_cannot_be(server, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    refused(tmp_path / "file" / "dir", "cannot be used (Not a directory)")
    (tmp_path / LAYOUT.binary).write_text("", encoding="utf-8")
    refused(tmp_path, "cannot be used (File exists)")


@pytest.mark.parametrize("name", ["toys", "cifar", "../x"])
def test_nothing_known_by_that_name(name, tmp_path):
    with pytest.raises(DataError, match="expected one of cifar10, cifar100"):
        fetch.fetch(name, tmp_path)
