"""``python -m lkm`` is the command ``lkm``."""

import sys

from lkm.interfaces.cli.main import main

sys.exit(main())
