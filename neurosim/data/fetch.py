"""Fetches the official archives: resumed where a download stopped, checked, and unpacked file by file."""

from __future__ import annotations

import contextlib
import errno
import gzip
import hashlib
import http.client
import math
import os
import shutil
import sys
import tarfile
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from neurosim import __version__
from neurosim.core.locking import FileLock
from neurosim.core.writing import renamed
from neurosim.data.sources import loading
from neurosim.data.sources.base import Archive, Files
from neurosim.errors import DataError

CHUNK = 1 << 18  # bytes between two calls of the progress callback
TIMEOUT = 60  # seconds without a byte
HERE = ("localhost", "127.0.0.1", "::1", "", None)  # hosts that are this computer, or none at all
Progress = Callable[[int, int | None], None]


def fetch(name: str, data_dir: Path, url: str | None = None, progress: Progress | None = None) -> Path:
    """Download, check and unpack a data set, unless it is there.

    What has come before a connection breaks is kept in ``data_dir`` as ``ARCHIVE.part``, and resumed by the next call.
    An archive that lies in ``data_dir`` under its own name is checked and unpacked, and stays.

    Args:
        name: one of `fetchable`.
        data_dir: where the set's folder goes; made if it is not there.
        url: a mirror of the same archive, ``https://`` or ``file:///``; the official address where None. ``http://`` is for this
            computer alone.
        progress: called with the bytes there so far and the bytes in all (None where the server does not give them).

    Returns:
        The folder of the unpacked files.

    Raises:
        DataError: nothing known by that name, no network, no space, a server's refusal, a wrong checksum.
    """
    known = fetchable()
    if name not in known:
        raise DataError(f"nothing to fetch for {name!r}", f"one of {', '.join(known)}", "choose one of them")
    data_dir, files = Path(data_dir), known[name]
    folder = data_dir / files.binary
    if files.complete(folder):
        return folder
    with _disk(data_dir):
        data_dir.mkdir(parents=True, exist_ok=True)
    with _held(data_dir, files):
        return folder if files.complete(folder) else _fetched(files, data_dir, url, progress)


def _fetched(files: Files, data_dir: Path, url: str | None, progress: Progress | None) -> Path:
    """The folder, of files that nobody else fetches now."""
    folder, own = data_dir / files.binary, data_dir / files.archives[0]
    path = _local(url) if url is not None and _scheme(url) == "file" else own if own.is_file() else None
    if path is not None:
        _check(path, files.archive, remove=False)
        _unpack(path, files, folder)
        return folder
    part = own.with_name(f"{own.name}.part")
    _scheme(url or files.archive.url)
    _download(url or files.archive.url, part, files.archive.unpacked, progress)
    _check(part, files.archive, remove=True)
    _unpack(part, files, folder)
    part.unlink()
    return folder


def _held(data_dir: Path, files: Files) -> FileLock:
    """Two who fetch one archive wait for each other: the second finds it there."""

    def waiting(who: str) -> None:
        print(f"waiting for {who}, which fetches {files.name} into {data_dir}", file=sys.stderr, flush=True)

    def closed(why: str) -> DataError:
        return DataError(f"{data_dir} cannot be used ({why})", "a folder of your own", "give another data_dir")

    path = data_dir / f".{files.archives[0]}.lock"
    return FileLock(path, closed, closed, math.inf, waiting, "fetch nothing else into it meanwhile")


def fetchable() -> dict[str, Files]:
    """Name -> files of every data set that can be fetched."""
    return {name: source.files for name, source in loading.available().items() if source.files is not None}


def _scheme(url: str) -> str:
    """``https`` or ``file``; ``http`` of this computer.

    Raises:
        DataError: another, or none.
    """
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if scheme not in ("http", "https", "file"):
        raise DataError(f"the address {url!r}", "https:// or file:///", "give the whole address")
    if scheme == "http":
        with contextlib.suppress(ValueError):  # an address that is none, of which `_open` says so
            if urllib.parse.urlsplit(url).hostname not in HERE:
                raise DataError(
                    f"the address {url!r}, which anybody on the way can read and change",
                    "https:// or file:///",
                    "write https://",
                )
    return scheme


class _Safe(urllib.request.HTTPRedirectHandler):
    """Follows a server to where it points, unless that is no https."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
        """As its base."""
        try:
            _scheme(newurl)
        except DataError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _local(url: str) -> Path:
    host, slash, rest = url.partition("://")[2].partition("/")
    path = Path(urllib.request.url2pathname(slash + rest))
    if host not in ("", "localhost") or not path.is_file():
        raise DataError(f"no file at {url}", "an archive on this computer, file:///PATH", "check the path")
    return path


@contextlib.contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """One line for what the file system refuses."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            actual, hint = f"no space left in {folder}", "free some, or give another data_dir"
            raise DataError(actual, "space for the archive and its files", hint) from None
        actual = f"{folder} cannot be used ({error.strerror or error})"
        raise DataError(actual, "a folder of your own", "give another data_dir") from None


def _download(url: str, part: Path, unpacked: int, progress: Progress | None) -> None:
    """Copy ``url`` to ``part``, from where it stopped if the server can."""
    have = part.stat().st_size if part.is_file() else 0
    response = _open(url, have)
    if response is None:  # the server has nothing beyond what is there: whole, or not the same archive
        return
    with response:
        have = have if response.status == 206 else 0
        rest = response.headers.get("Content-Length", "")
        total = have + int(rest) if rest.isdecimal() else None
        _check_room(part.parent, (int(rest) if rest.isdecimal() else 0) + unpacked)
        with _disk(part.parent):
            file = open(part, "ab" if have else "wb")  # noqa: SIM115 - closed below, opened apart for its own errors
        with file:
            done = _copy(url, response, file, have, total, progress)
    if total is not None and done != total:
        raise DataError(f"{url} stopped after {done} bytes", f"{total}", "run it again to resume")


def _open(url: str, have: int) -> http.client.HTTPResponse | None:
    """The answer to a request for what is beyond ``have`` bytes; None where the server says there is no such part."""
    headers = {"User-Agent": f"neurosim/{__version__}"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        request = urllib.request.Request(url, headers=headers)
        opener = urllib.request.build_opener(_Safe)
        response: http.client.HTTPResponse = opener.open(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and have:
            return None
        actual = f"{url} answers {error.code} {error.reason}"
        raise DataError(actual, "the archive", "try again later, or give a mirror, url=ADDRESS") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _unreachable(url, error) from None
    sent = response.headers.get("Content-Range", "")
    if response.status == 206 and not sent.startswith(f"bytes {have}-"):
        response.close()
        raise DataError(f"{url} sends another part ({sent})", f"bytes from {have}", "give a mirror, url=ADDRESS")
    return response


def _unreachable(url: str, error: Exception) -> DataError:
    reason = getattr(error, "reason", error)
    cause = " ".join(str(getattr(reason, "strerror", None) or reason).split()) or type(error).__name__
    hint = "run it again with a network (it resumes), or copy the archive here and give url=file:///PATH"
    return DataError(f"{url} cannot be reached ({cause})", "an answer from the network", hint)


def _copy(
    url: str,
    response: http.client.HTTPResponse,
    file: BinaryIO,
    done: int,
    total: int | None,
    progress: Progress | None,
) -> int:
    while True:
        try:
            block = response.read(CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(url, error) from None
        if not block:
            return done
        with _disk(Path(file.name).parent):
            file.write(block)
            file.flush()  # an error of the disk shows here, not when the file is closed
        done += len(block)
        if progress is not None:
            progress(done, total)


def _check_room(folder: Path, needed: int) -> None:
    with _disk(folder):
        free = shutil.disk_usage(folder).free
    if free < needed:
        actual = f"{folder} has {free / 1e6:.0f} MB free"
        raise DataError(actual, f"{needed / 1e6:.0f} MB", "free some, or give another data_dir")


def _check(path: Path, archive: Archive, remove: bool) -> None:
    """Compare the file's MD5 with the published one; a download that fails is removed, a file of the user's is not."""
    digest = hashlib.md5(usedforsecurity=False)
    with _disk(path.parent), open(path, "rb") as file:
        while block := file.read(CHUNK):
            digest.update(block)
    if digest.hexdigest() == archive.md5:
        return
    actual = f"{path} has the MD5 checksum {digest.hexdigest()}"
    hint = "run it again to start anew" if remove else "remove it, or give another, url=ADDRESS"
    if remove:
        actual = f"{actual} and was removed"
        with _disk(path.parent):
            path.unlink()
    raise DataError(actual, archive.md5, hint)


def _unpack(path: Path, files: Files, folder: Path) -> None:
    """Copy the files that are named, and no others, so that no path in the archive can lead elsewhere."""
    wanted = files.wanted()
    with _disk(folder.parent), tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unpacking-") as temporary:
        try:
            with tarfile.open(path, "r:gz") as tar:
                for member in tar:
                    content = tar.extractfile(member) if member.isreg() and member.name in wanted else None
                    if content is not None:
                        with open(Path(temporary) / wanted[member.name], "wb") as copy:
                            shutil.copyfileobj(content, copy, CHUNK)
        except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataError(f"{path} cannot be unpacked ({error})", "a .tar.gz archive", "fetch it again") from None
        if not files.complete(Path(temporary)):
            raise DataError(f"{path} lacks files of {files.name}", ", ".join(wanted), "fetch it again")
        folder.mkdir(exist_ok=True)
        for file in sorted(os.listdir(temporary)):
            renamed(Path(temporary) / file, folder / file)
