"""``python -m povmon.pipeline``."""

import sys

from povmon.pipeline.cli import main

if __name__ == "__main__":
    sys.exit(main())
