"""``python -m povmon.pipeline``."""

import sys

from povmon.pipeline.cli import main

sys.exit(main())
