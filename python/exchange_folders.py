"""Lets two folders of one disk exchange their names in one step, which Node can't: exchange_folders.py ONE OTHER.

Linux alone has it (renameat2 with RENAME_EXCHANGE), and not for every disk; then it fails with the reason.
"""

import ctypes
import os
import sys

AT_FDCWD = -100
RENAME_EXCHANGE = 2

library = ctypes.CDLL(None, use_errno=True)
one, other = (os.fsencode(path) for path in sys.argv[1:])
if library.renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
