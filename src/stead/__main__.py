"""`python -m stead`."""

import sys

from stead.cli import main

sys.exit(main())
