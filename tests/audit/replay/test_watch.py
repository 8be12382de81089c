"""What a rule asks its interpreter for is heard; what it could see of an audit is not there."""

import subprocess
import sys
import textwrap

ASKS = """
    import gc, io, logging, os, socket, subprocess, sys, warnings
    import numpy as np

    def asks():
        "What somebody else's kernel may ask for, by name."
        yield "reads", lambda: open("here.npy", "rb").close()
        yield "reads with NumPy", lambda: np.load("here.npy")
        yield "reads by its number", lambda: os.close(os.open("here.npy", os.O_RDONLY))
        yield "lists", lambda: os.listdir(".")
        yield "scans", lambda: os.scandir(".").close()
        yield "looks up", lambda: sys._getframe()
        yield "looks about", lambda: sys._current_frames()
        yield "looks for", lambda: gc.get_referrers(asks)
        yield "starts", lambda: subprocess.run([sys.executable, "-c", ""])
        yield "calls", lambda: socket.getaddrinfo("127.0.0.1", 1)

    def innocent():
        "What breaks nothing."
        yield "writes", lambda: open("there.txt", "w").close()
        yield "imports", lambda: __import__("this_is_imported_late")
        yield "logs", lambda: logging.getLogger("x").warning("a line")
        yield "counts", lambda: np.einsum("ij,jk", np.ones((2, 2)), np.ones((2, 2)), optimize=True)
        yield "memory", lambda: io.BytesIO(b"x").read()
"""
LISTEN = """
import asker
from neurosim.audit.replay.watch import Watch

watch = Watch()
for word, ask in (*asker.asks(), *asker.innocent()):
    watch.place = word
    ask()
    watch.place = ""
print("heard", *(f"{word}: {what}" for word, what in watch.heard), sep="\\n")
"""
LOOK = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from neurosim.audit.replay.disguise import as_training
from neurosim.audit.single import SingleStep
from neurosim.audit.target import of_rule
from neurosim.engine.threads import ThreadTeam
from neurosim.training.alone import wire
import looker

target = of_rule(wire("looker:Looks", "3 tanh, 3 tanh", (4, 4, 3), 3))
step = next(s for plan in target.plans.values() for s in plan if s.label == "looks")
os.environ["PYTHONPATH"] = "set for it"
as_training({"PYTHONPATH": None, "LOOKED": "there before"})
with ThreadTeam(1) as team, ThreadPoolExecutor(1) as aside:
    SingleStep(step, "it", target.kernels).run(team, aside)
for seen in looker.seen:
    print(seen)
"""
LOOKS = """
    import os, sys
    from neurosim.core.kernel import Kernel
    from neurosim.core.step import Step
    from neurosim.rules.end_to_end import EndToEnd

    seen = []
    look = Kernel("look", updates={"weight": "..."}, equation="w += 0")

    @look.cpu
    def _(weight):
        frame, files = sys._getframe(), []
        while frame:
            files.append(frame.f_code.co_filename)
            frame = frame.f_back
        seen.append(("files", any("audit" in file.rsplit("neurosim", 1)[-1] for file in files), len(files) > 2))
        seen.append(("modules", sorted(name for name in sys.modules if name.startswith("neurosim.audit"))))
        seen.append(("attribute", hasattr(sys.modules["neurosim"], "__path__"), "audit" in vars(sys.modules["neurosim"])))
        main = os.path.join("neurosim", "__main__.py")
        seen.append(("command", sys.argv[1:], sys.orig_argv[1:], sys.modules["__main__"].__file__.endswith(main)))
        seen.append(("environment", os.environ.get("PYTHONPATH"), os.environ.get("LOOKED")))

    class Looks(EndToEnd):
        "It looks about."
        name, summary, feedback = "mine", "ours", "rf"
        def wire(self, phase):
            yield from super().wire(phase)
            yield Step(look, "looks", "w += 0", {"weight": self.network.projections[0].synapse.weight})
"""


def printed(code, folder, **files):
    """What a process prints that runs some code in a folder with some modules."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_what_is_asked_for_is_heard_and_nothing_else(tmp_path):
    import numpy as np

    np.save(tmp_path / "here.npy", np.ones(3))
    lines = printed(LISTEN, tmp_path, asker=ASKS, this_is_imported_late="x = 1")
    heard = [line.split(": ", 1) for line in lines[lines.index("heard") + 1 :]]
    words = [
        "reads",
        "reads with NumPy",
        "reads by its number",
        "lists",
        "scans",
        "looks up",
        "looks about",
        "looks for",
    ]
    assert list(dict.fromkeys(word for word, _ in heard)) == [*words, "starts", "calls"], lines
    assert ["reads", "reads the file here.npy"] in heard and ["lists", "lists the folder ."] in heard
    assert ["looks up", "looks at who calls it"] in heard


def test_a_rule_sees_a_training(tmp_path):
    seen = printed(LOOK, tmp_path, looker=LOOKS)
    assert seen == [
        "('files', False, True)",
        "('modules', [])",
        "('attribute', True, False)",
        "('command', ['train'], ['-m', 'neurosim', 'train'], True)",
        "('environment', None, 'there before')",
    ]
