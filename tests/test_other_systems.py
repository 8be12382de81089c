"""Other systems, simulated: what macOS or Windows lack is taken away before the program is imported."""

import subprocess
import sys

import numpy as np

WITHOUT = """import os, signal, sys
for name in ("sched_getaffinity", "sched_setaffinity", "fork", "forkpty", "posix_fallocate", "getuid", "chmod", "O_NONBLOCK",
             "O_CLOEXEC", "nice", "killpg", "setsid", "mkfifo"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGHUP", "SIGPIPE", "SIGALRM", "SIGUSR1"):
    if hasattr(signal, name):
        delattr(signal, name)
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
sync = os.fsync
def fsync(handle):
    import stat
    if stat.S_ISDIR(os.fstat(handle).st_mode):
        raise OSError(22, "Invalid argument")
    sync(handle)
os.fsync = fsync
"""
RUN = """

from neurosim.cli.main import main
def call(*words):
    try:
        main(words)
    except SystemExit as left:
        assert not left.code, (words, left.code)
call("train", "--data", "a.npz", "--epochs", "1", "--network", "3 pool", "--batch", "8", "--threads", "1", "--labels", "10,16",
     "--readout", "ridge", "--out", "ein Lauf")
call("train", "--resume", "ein Lauf")
call("evaluate", "ein Lauf")
"""


def test_train_resume_and_evaluate_without_what_other_systems_lack(tmp_path):
    images = np.random.default_rng(1).integers(0, 256, (40, 8, 8, 3)).astype(np.uint8)
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(40) % 4)
    run = [sys.executable, "-c", WITHOUT + RUN]
    done = subprocess.run(run, cwd=tmp_path, check=False, capture_output=True, encoding="utf-8")
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert "has no locks" in done.stderr and (tmp_path / "ein Lauf" / "results.json").is_file()
