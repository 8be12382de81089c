"""Fetches the official archives: resumed where a download stopped, checked, and unpacked file by file."""

import contextlib
import errno
import gzip
import hashlib
import http.client
import os
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from neurosim import __version__
from neurosim.data.sources import cifar, stl10
from neurosim.errors import DataError

CHUNK = 1 << 18  # bytes between two calls of the progress callback
TIMEOUT = 60  # seconds without a byte
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Archive:
    """One archive: its address, its MD5 checksum as published there, and about how many bytes it and its files take."""

    url: str
    md5: str
    unpacked: int


ARCHIVES = {
    "cifar10": Archive(
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", 185_000_000
    ),
    "cifar100": Archive(
        "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8", 185_000_000
    ),
    "stl10": Archive(
        "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz", "91f7769df0f17e558f3565bffb0c7dfb", 3_130_000_000
    ),
}


def fetch(name: str, data_dir: Path, url: str | None = None, progress: Progress | None = None) -> Path:
    """Download, check and unpack a data set, unless it is there.

    What has come before a connection breaks is kept in ``data_dir`` as ``ARCHIVE.part``, and resumed by the next call.
    An archive that lies in ``data_dir`` under its own name is checked and unpacked, and stays.

    Args:
        name: a key of `ARCHIVES`.
        data_dir: where the set's folder goes; made if it is not there.
        url: a mirror of the same archive, ``http(s)://`` or ``file:///``; the official address where None.
        progress: called with the bytes there so far and the bytes in all (None where the server does not tell).

    Returns:
        The folder of the unpacked files.

    Raises:
        DataError: nothing known by that name, no network, no space, a server's refusal, a wrong checksum.
    """
    if name not in ARCHIVES:
        raise DataError(f"nothing to fetch for {name!r}", f"one of {', '.join(ARCHIVES)}", "choose one of them")
    data_dir, archive = Path(data_dir), ARCHIVES[name]
    source = stl10 if name in stl10.LAYOUTS else cifar
    layout = source.LAYOUTS[name]
    folder = data_dir / layout.binary
    if source.complete(layout, folder):
        return folder
    with _disk(data_dir):
        data_dir.mkdir(parents=True, exist_ok=True)
    own = data_dir / layout.archives[0]
    path = _local(url) if url is not None and _scheme(url) == "file" else own if own.is_file() else None
    if path is None:
        part = own.with_name(f"{own.name}.part")
        _download(url or archive.url, part, archive.unpacked, progress)
        _check(part, archive, remove=True)
        _unpack(part, source, layout, folder)
        part.unlink()
    else:
        _check(path, archive, remove=False)
        _unpack(path, source, layout, folder)
    return folder


def _scheme(url: str) -> str:
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if scheme not in ("http", "https", "file"):
        raise DataError(f"the address {url!r}", "http://, https:// or file:///", "give the whole address")
    return scheme


def _local(url: str) -> Path:
    host, slash, rest = url.partition("://")[2].partition("/")
    path = Path(urllib.request.url2pathname(slash + rest))
    if host not in ("", "localhost") or not path.is_file():
        raise DataError(f"no file at {url}", "an archive on this machine, file:///PATH", "check the path")
    return path


@contextlib.contextmanager
def _disk(folder: Path):
    """Says in one line what the file system refused."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            met, mend = f"no space left in {folder}", "free some, or name another folder with --data-dir"
            raise DataError(met, "room for the archive and its files", mend) from None
        met = f"{folder} cannot be used ({error.strerror or error})"
        raise DataError(met, "a folder of your own", "name another folder with --data-dir") from None


def _download(url: str, part: Path, unpacked: int, progress: Progress | None) -> None:
    """Bring ``url`` into ``part``, from where it stopped if the server can."""
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
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and have:
            return None
        met = f"{url} answers {error.code} {error.reason}"
        raise DataError(met, "the archive", "try again later, or name a mirror with --url") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _unreachable(url, error) from None
    said = response.headers.get("Content-Range", "")
    if response.status == 206 and not said.startswith(f"bytes {have}-"):
        response.close()
        raise DataError(f"{url} sends another part ({said})", f"bytes from {have}", "name a mirror with --url")
    return response


def _unreachable(url: str, error: Exception) -> DataError:
    said = getattr(error, "reason", error)
    said = " ".join(str(getattr(said, "strerror", None) or said).split()) or type(error).__name__
    mend = "run it again with a network (it resumes), or bring the archive and give --url file:///PATH"
    return DataError(f"{url} cannot be reached ({said})", "an answer from the network", mend)


def _copy(url: str, response, file: BinaryIO, done: int, total: int | None, progress: Progress | None) -> int:
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
        met = f"{folder} has {free / 1e6:.0f} MB free"
        raise DataError(met, f"{needed / 1e6:.0f} MB", "free some, or name another folder with --data-dir")


def _check(path: Path, archive: Archive, remove: bool) -> None:
    """Hold the file's MD5 against the published one; a download that fails is removed, a file of the user's is not."""
    digest = hashlib.md5(usedforsecurity=False)
    with _disk(path.parent), open(path, "rb") as file:
        while block := file.read(CHUNK):
            digest.update(block)
    if digest.hexdigest() == archive.md5:
        return
    met = f"{path} has the MD5 checksum {digest.hexdigest()}"
    mend = "run it again to start anew" if remove else "remove it, or name another with --url"
    if remove:
        met = f"{met} and was removed"
        with _disk(path.parent):
            path.unlink()
    raise DataError(met, archive.md5, mend)


def _unpack(path: Path, source, layout, folder: Path) -> None:
    """Copy the files that the layout names, and no others, so that no path in the archive can lead elsewhere."""
    wanted = source.wanted(layout)
    with _disk(folder.parent), tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unpacking-") as temporary:
        try:
            with tarfile.open(path, "r:gz") as tar:
                for member in tar:
                    if member.isreg() and member.name in wanted:
                        with open(Path(temporary) / wanted[member.name], "wb") as file:
                            shutil.copyfileobj(tar.extractfile(member), file, CHUNK)
        except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataError(f"{path} cannot be unpacked ({error})", "a .tar.gz archive", "fetch it again") from None
        if not source.complete(layout, Path(temporary)):
            raise DataError(f"{path} lacks files of {layout.name}", ", ".join(wanted), "fetch it again")
        folder.mkdir(exist_ok=True)
        for file in sorted(os.listdir(temporary)):
            os.replace(Path(temporary) / file, folder / file)
