"""``python -I -S <this directory> COMMAND …``: the package under its own name, without the app.

In a jail this file is the program, and the package lies beside the artifact under /input.
"""

import sys
from pathlib import Path

IN_A_JAIL = Path("/input")

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    parent = here.parent if here.name == "artifact" else IN_A_JAIL
    sys.path[:] = [str(parent), *(path for path in sys.path if path != str(here))]
    from artifact.command import main  # type: ignore[import-not-found]

    sys.exit(main(sys.argv[1:]))
