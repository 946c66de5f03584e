"""``python -I -S <this directory> COMMAND …``: the package under its own name, without the app."""

import sys
from pathlib import Path

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    sys.path[:] = [str(here.parent), *(path for path in sys.path if path != str(here))]
    from artifact.command import main  # type: ignore[import-not-found]

    sys.exit(main(sys.argv[1:]))
