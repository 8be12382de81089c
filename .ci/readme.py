"""Run every command of a README: each line of its ```sh blocks, in order, from the folder it lies in."""

import re
import subprocess
import sys
from pathlib import Path

readme = Path(sys.argv[1]).resolve()
commands = [
    line.strip()
    for block in re.findall(r"^```sh\n(.*?)^```", readme.read_text(encoding="utf-8"), re.M | re.S)
    for line in block.splitlines()
    if line.strip() and not line.lstrip().startswith("#")
]
if len(commands) < 2:
    sys.exit(
        f"error: {readme} has {len(commands)} commands; expected at least the two at its top; correct its ```sh blocks"
    )
for command in commands:
    print(f"\n$ {command}", flush=True)
    code = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=readme.parent, check=False).returncode
    if code:
        sys.exit(f"error: exit code {code} from {command!r}; expected 0; run it by hand")
