"""``python -m lib.pretraining objects``: make the project's own weights again."""

import sys

from lib.pretraining.making import main

if __name__ == "__main__":
    sys.exit(main())
