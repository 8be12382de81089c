"""Whatever runs in a process of its own changes neither the answer nor the exit code of who asked."""

import importlib
import os
import sys
import textwrap
import time

import pytest

from neurosim.audit.evidence import Evidence
from neurosim.audit.isolation import message, parent
from neurosim.audit.isolation.child import answered
from neurosim.audit.isolation.integrity import Integrity
from neurosim.audit.isolation.parent import Limits, call
from neurosim.errors import NeurosimError, RunError, UndecidedError
from neurosim.parts.memory import push

DEEDS = """
    import atexit, ctypes, os, signal, sys, threading, time
    from neurosim.errors import RunError, WiringError

    def fine(given): return given * 2
    def sys_exit(_): sys.exit(0)
    def os_exit(_): os._exit(0)
    def other_exit(_): os._exit(7)
    def segfault(_): ctypes.string_at(0)
    def abort(_): os.abort()
    def killed(_): os.kill(os.getpid(), signal.SIGKILL)
    def group(_): os.kill(0, signal.SIGTERM)
    def interrupt(_): raise KeyboardInterrupt
    def fails(_): 1 // 0
    def recursion(_): recursion(_)
    def no_data(_): return object()
    def lets_down(_): raise WiringError("mine", "yours", "none")
    def hang(_): time.sleep(1000)
    def spin(_):
        while True: pass

    class Mute(Exception):
        def __str__(self): os._exit(0) if False else 1 / 0

    def mute(_): raise Mute

    def memory(_):
        held = []
        while True: held.append(b"x" * (1 << 26))

    def closes(_):
        os.closerange(0, 100)
        return "still"

    def prints(_):
        print("verdict: No violation found", flush=True)
        for _ in range(300): os.write(1, b"x" * 1000), os.write(2, b"y" * 1000)
        return "still"

    def lingers(_):
        atexit.register(hang, 0)
        threading.Thread(target=hang, args=(0,)).start()
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0: hang(0)
            os._exit(0)
        return "still"

    def forges(_):
        from neurosim.audit.isolation import message
        frame = message.framed({"answer": "forged"}, bytes(32))
        for number in range(3, 400):
            try: os.write(number, frame)
            except OSError: pass
        os._exit(0)

    def writes(_):
        for number in range(3, 400):
            try: os.write(number, b"no violation found")
            except OSError: pass
        return "still"

    def kills(name):
        above = os.getppid()
        theirs = int(open(f"/proc/{above}/stat", encoding="utf-8", errors="replace").read().rpartition(")")[2].split()[1])
        pid = {"launcher": above, "parent": theirs, "all": -1, "group": -os.getpgid(theirs)}[name]
        os.kill(pid, 0)  # no signal, and refused alike
"""


@pytest.fixture
def deed(tmp_path, monkeypatch):
    """Gives ``deed(name, argument)``: one of `DEEDS`, done in a process of its own."""
    (tmp_path / "deeds.py").write_text(textwrap.dedent(DEEDS), encoding="utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])

    def deed(name, argument=None, **limits):
        return call(f"deeds:{name}", argument, Limits(**{"timeout": 60.0, **limits}), "mine")

    return deed


def test_an_answer_comes_back(deed):
    assert deed("fine", [1, "a"]) == [1, "a", 1, "a"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sys_exit", r"it calls for the end of the process \(SystemExit: 0\)"),
        ("os_exit", "it ended without an answer"),
        ("other_exit", r"it ended its process \(exit code 7\)"),
        ("segfault", r"its process crashed \(SIGSEGV\)"),
        ("abort", r"its process crashed \(SIGABRT\)"),
        ("killed", r"its process crashed \(SIGKILL\)"),
        ("group", r"its process crashed \(SIGTERM\)"),
        ("interrupt", "KeyboardInterrupt"),
        ("fails", r"ZeroDivisionError: .* \(.*deeds.py, line \d+\)"),
        ("mute", "Mute: a Mute that cannot be printed"),
        ("recursion", "RecursionError"),
        ("no_data", "what it gives cannot be sent"),
        ("lets_down", "mine; expected yours"),
        ("forges", "something else wrote to the channel of its answer"),
    ],
)
def test_what_goes_wrong_is_one_line_and_no_answer(deed, name, words):
    with pytest.raises(UndecidedError, match=words) as problem:
        deed(name)
    assert "\n" not in str(problem.value) and problem.value.exit_code == 3


@pytest.mark.parametrize("name", ["hang", "spin"])
def test_it_is_ended_when_its_time_is_over(deed, name):
    began = time.monotonic()
    with pytest.raises(UndecidedError, match=r"it did not end within 1 s; .*--timeout"):
        deed(name, timeout=1.0)
    assert time.monotonic() - began < 60


def test_it_is_ended_when_it_fills_the_memory(deed):
    with pytest.raises(UndecidedError, match="not enough memory"):
        deed("memory", memory=0.4)


@pytest.mark.parametrize("name", ["closes", "prints", "lingers"])
def test_what_it_does_beside_changes_nothing(deed, name, capfd):
    assert deed(name) == "still"
    assert capfd.readouterr() == ("", "")


def test_what_it_left_running_is_ended(deed):
    assert deed("lingers") == "still"
    # of this interpreter alone: another environment may run the same tests beside these
    assert not [p for p in _commands() if p.startswith(sys.executable) and "neurosim.audit.isolation.child" in p]


def _commands():
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                with open(f"/proc/{entry.name}/cmdline", encoding="utf-8", errors="replace") as file:
                    found.append(file.read())
            except OSError:
                continue
    return found


def test_somebody_else_on_the_channel_is_no_answer(deed):
    with pytest.raises(UndecidedError, match="something else wrote to the channel"):
        deed("writes")


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels have no filters of calls")
@pytest.mark.parametrize("name", ["launcher", "parent", "all", "group"])
def test_who_waits_for_it_cannot_be_killed(deed, name):
    with pytest.raises(UndecidedError, match=r"PermissionError"):
        deed("kills", name)


def test_files_of_the_package_that_change_meanwhile(deed, monkeypatch):
    digests = iter(["before", "after"])
    monkeypatch.setattr(parent, "file_digest", lambda: next(digests))
    with pytest.raises(UndecidedError, match="it changed files of neurosim"):
        deed("fine", 1)


def test_errors_of_this_package_keep_their_exit_code():
    def fails():
        raise RunError("no folder", "one", "make it")

    # raised in a file that is none of the package's, it is a rule's own
    assert answered(fails) == {"error": ["no folder", "one", "make it", ""], "code": 3}
    from neurosim.rules import find

    found = answered(lambda: find("nobody"))
    assert found["code"] == NeurosimError.exit_code == 2 and "unknown rule" in found["error"][0]


def test_a_frame_is_opened_with_its_key_alone():
    key, other = b"1" * message.KEY, b"2" * message.KEY
    data = message.framed({"answer": "a\x1b[2Jb\nc", "n": [1.5, None]}, key)
    assert message.opened(data, key) == {"answer": "a?[2Jb\nc", "n": [1.5, None]}
    for wrong in (data[:-1], data + b"x", data + data, b"x" + data, data[:20]):
        assert message.opened(wrong, key) == "something else wrote to the channel of its answer"
    assert message.opened(data, other) == "something else wrote to the channel of its answer"
    assert message.opened(b"", key) == "it ended without an answer"


# -- what lies in memory


@pytest.fixture
def intact():
    return Integrity()


def _other(*_, **__):
    return None


def _held(path):
    """The owner of something in memory, and its name there."""
    home, *words = path.split("/")
    owner = importlib.import_module(home)
    for word in words[:-1]:
        owner = getattr(owner, word)
    return owner, words[-1]


@pytest.mark.parametrize(
    "path",
    [
        "neurosim.audit.evidence/Evidence/add_finding",
        "neurosim.audit.verdict/Verdict/exit_code",
        "neurosim.audit.checks/Behaviour",
        "neurosim.engine.program/Program",
        "neurosim.audit.graph.kinds/kind",
        "numpy/array_equal",
        "numpy/matmul",
        "builtins/float",
        "json/dumps",
        "math/tanh",
    ],
)
def test_what_was_replaced_is_put_back_and_named(intact, path, monkeypatch):
    owner, word = _held(path)
    true = vars(owner)[word]
    monkeypatch.setattr(owner, word, property(_other) if isinstance(true, property) else _other)
    intact.restore()
    assert vars(owner)[word] is true and intact.replaced == [path.replace("/", ".")]
    found = intact.evidence()
    assert found.answer("declared").verdict == "violated" and path.replace("/", ".") in found.findings[0].text


def test_nothing_was_replaced(intact):
    intact.restore()
    assert intact.replaced == [] and intact.evidence().answer("declared").verdict == "holds"


def test_code_put_into_a_function_and_a_form_put_into_a_kernel(intact):
    function, kernel = Evidence.add_finding, push
    code, form = function.__code__, kernel._forms["cpu"]
    try:
        function.__code__ = _other.__code__
        kernel._forms["cpu"] = _other
        intact.restore()
        assert function.__code__ is code and kernel._forms["cpu"] is form
        assert any(name.endswith("Evidence.add_finding") for name in intact.replaced)
        assert any(name.endswith("push.cpu") for name in intact.replaced)
    finally:
        function.__code__, kernel._forms["cpu"] = code, form
