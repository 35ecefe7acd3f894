"""``python -m lib.task export``: the observer task as one HTML file, for participants of a lab."""

import sys

from lib.widgets.task_command import main

if __name__ == "__main__":
    sys.exit(main())
