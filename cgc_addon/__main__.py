# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m cgc_addon VERB …`."""

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
