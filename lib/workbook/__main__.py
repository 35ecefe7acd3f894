"""``python -m lib.workbook run --study … --set key=value``."""

import sys

from lib.workbook.command import main

if __name__ == "__main__":
    sys.exit(main())
