"""``python -I -S <this directory>``: the package under its own name, without the app."""

import sys
from pathlib import Path

LIBRARIES = "/input/lib"

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parent.parent), LIBRARIES]
    from inside.command import main  # type: ignore[import-not-found]

    sys.exit(main())
