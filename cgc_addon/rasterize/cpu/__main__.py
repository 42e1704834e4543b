# SPDX-License-Identifier: GPL-3.0-or-later
"""Compile the kernels that another process leaves to this one, and tell it of each stage."""

import sys

from .backend import CpuBackend
from .beside import end_with_the_other
from .warm_up import stages_beside

if __name__ == "__main__":
    end_with_the_other()
    for stage in stages_beside(CpuBackend(threads=1)):
        stage()
        sys.stdout.write(f"{stage.__name__}\n")
        sys.stdout.flush()
