"""A host with busy jails, for a test to kill: prints the pids of its jails, then waits.

Run as ``python -m tests.sandbox.host_to_kill LAYERS_ROOT LAYER``.
"""

import asyncio
import sys
from pathlib import Path

from sandbox.engine.jail import JailSettings
from sandbox.engine.observed import tree_of
from sandbox.engine.pool import VersionPool
from sandbox.engine.spec import PluginSpec
from tests.sandbox.toolbox import ACME, call


async def main(root: Path, layer: Path) -> None:
    spec = PluginSpec("toolbox", "1.0.0", "0" * 64, (layer,), "plugin:Toolbox", ("echo", "run"))
    pool = VersionPool(spec, JailSettings(root))
    await pool.start()
    loops = "import os, signal; signal.signal(15, signal.SIG_IGN); os.fork(); os.setsid()"
    loops += "\nwhile True: pass"
    busy = asyncio.create_task(pool.call(ACME, call("run", seconds=60, code=loops)))
    while len(tree_of(pool._processes()[0].jailed.first) if pool._processes() else []) < 3:
        await asyncio.sleep(0.02)
    firsts = [process.jailed.first for process in pool._supply.alive]
    sys.stdout.write(" ".join(str(pid) for first in firsts for pid in tree_of(first)) + "\n")
    sys.stdout.flush()
    await busy


asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
