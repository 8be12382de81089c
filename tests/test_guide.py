"""docs/write-your-own-*.md, word for word: their files are written, their commands run, their output is compared."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from neurosim.cli.main import main

import neurosim

ROOT = Path(neurosim.__file__).resolve().parent.parent
PAGES = sorted((ROOT / "docs").glob("write-your-own-*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KINDS = ("rule", "error", "plasticity", "network", "data-set", "deformation")
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem.removeprefix("write-your-own-"))


def blocks(page):
    """Every block of a page in order: (language, text)."""
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def test_there_is_a_page_a_kind():
    assert {page.stem.removeprefix("write-your-own-") for page in PAGES} == set(KINDS)


@every_page
def test_a_page_has_what_it_promises(page):
    languages = [language for language, _ in blocks(page)]
    assert set(languages) == {"python", "sh", "text", "toml"}
    commands = "".join(text for language, text in blocks(page) if language == "sh")
    assert languages.count("sh") >= 4 and "neurosim train " in commands and "python -m pytest " in commands
    words = " ".join(page.read_text(encoding="utf-8").split())
    assert "entry-points" in words and "`--device gpu`" in words and "refused by its name" in words
    for language, text in blocks(page):
        if language == "python":
            assert re.match(r"# [\w/]+\.py\n", text), text


def run(command, folder, capsys):
    """One line of a shell block, in this process where it is neurosim's; gives what it printed."""
    line, _, remark = command.partition("   # exit code ")
    wanted = int(remark or 0)
    words = shlex.split(line)
    if words[0] == "neurosim":
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(words[1:])
        printed = capsys.readouterr()
        assert (ended.value.code or 0) == wanted, printed
        return printed.out + printed.err
    assert words[:2] == ["python", "-m"]
    done = subprocess.run(
        [sys.executable, *words[1:], "-p", "no:cacheprovider"],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
        timeout=300,
    )
    assert done.returncode == wanted, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", ".")])
    _forget()
    yield tmp_path
    _forget()


def _forget():
    """Other tests have a mylab of their own."""
    for name in [name for name in sys.modules if name.split(".")[0] == "mylab"]:
        del sys.modules[name]


@every_page
def test_a_page_word_for_word(page, lab, capsys):
    printed = ""
    for language, text in blocks(page):
        if language == "python":
            path = lab / text.splitlines()[0].removeprefix("# ")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif language == "sh":
            if "--torch" in text:
                pytest.importorskip("torch", reason="PyTorch is an optional extra; all before it passed")
            printed = "".join(run(line, lab, capsys) for line in text.splitlines())
        elif language == "text":
            for line in text.splitlines():  # however wide the terminal is
                assert " ".join(line.split()) in " ".join(printed.split()), f"{line!r} is not in\n{printed}"
    assert len(list((lab / "runs").glob("*/results.json"))) == 1


def test_the_page_of_features_and_models_word_for_word(lab, capsys):
    for library in ("onnxruntime", "safetensors", "sklearn"):
        pytest.importorskip(library, reason=f"{library} is an optional extra")
    printed, names = "", {}
    for language, text in blocks(ROOT / "docs" / "export.md"):
        if language == "sh":
            printed = "".join(run(line, lab, capsys) for line in text.splitlines())
        elif language == "text":
            assert " ".join(text.split()) in " ".join(printed.split()), printed
        else:
            assert language == "python"
            exec(text, names)
    assert names["features"].shape == (200, 64) and names["pipeline"].score(names["x"], names["y"]) > 0.5


def test_the_page_of_the_read_out_word_for_word(lab, capsys):
    page, printed = ROOT / "docs" / "readout.md", ""
    for language, text in blocks(page):
        if language == "sh":
            printed = "".join(run(line, lab, capsys) for line in text.splitlines())
        elif language == "text":
            words = " ".join(printed.split())
            for line in text.splitlines():
                assert " ".join(line.split()) in words, f"{line!r} is not in\n{printed}"
        else:
            assert language == "python"
            names = {"experiment": neurosim.load(lab / "runs" / "a")}
            exec(text, names)
            assert [point.labels for point in names["readout"].curve] == [20, 100, 300]
