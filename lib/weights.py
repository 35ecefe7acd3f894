"""``python -m lib.weights``: get torchvision's ImageNet weights once."""

import sys

from lib.backbones.download import main

if __name__ == "__main__":
    sys.exit(main())
