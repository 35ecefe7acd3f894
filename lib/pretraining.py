"""``python -m lib.pretraining objects``: make the project's own weights again."""

import sys

from lib.training.pretraining import main

if __name__ == "__main__":
    sys.exit(main())
