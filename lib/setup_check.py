"""``python -m lib.setup_check``: Python, packages, GPU, memory, disk and weights."""

import sys

from lib.study.setup import main

if __name__ == "__main__":
    sys.exit(main())
