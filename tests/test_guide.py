"""docs/write-your-own-rule.md, word for word: its files are written, its commands run, its output is met."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import neurosim

ROOT = Path(neurosim.__file__).resolve().parent.parent
GUIDE = ROOT / "docs" / "write-your-own-rule.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks():
    """Every block of the guide in order: (language, text)."""
    return BLOCK.findall(GUIDE.read_text(encoding="utf-8"))


def test_the_guide_has_what_it_promises():
    languages = [language for language, _ in blocks()]
    assert set(languages) == {"python", "sh", "text", "toml"}
    assert languages.count("sh") == 6
    for language, text in blocks():
        if language == "python":
            assert re.match(r"# [\w/]+\.py\n", text), text


def run(command, folder, capsys):
    """One line of a shell block, in this process where it is neurosim's; gives what it printed."""
    line, _, remark = command.partition("   # exit code ")
    wanted = int(remark or 0)
    words = shlex.split(line)
    if words[0] == "neurosim":
        from neurosim.cli.main import main

        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(words[1:])
        printed = capsys.readouterr()
        assert (ended.value.code or 0) == wanted, printed
        return printed.out
    assert words[:2] == ["python", "-m"]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run([sys.executable, *words[1:], "-p", "no:cacheprovider"], cwd=folder, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": path}, timeout=300)  # fmt: skip
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


def test_the_guide_word_for_word(lab, capsys):
    printed = ""
    for language, text in blocks():
        if language == "python":
            path = lab / text.splitlines()[0].removeprefix("# ")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif language == "sh":
            if "--torch" in text:
                pytest.importorskip("torch", reason="PyTorch is an optional extra; all before it was met")
            printed = "".join(run(line, lab, capsys) for line in text.splitlines())
        elif language == "text":
            for line in text.splitlines():
                assert line in printed, f"{line!r} is not in\n{printed}"
    assert (lab / "runs" / "mine" / "results.json").is_file()
