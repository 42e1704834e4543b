# SPDX-License-Identifier: GPL-3.0-or-later
"""Compile the kernels of the backward pass, and what else the other process leaves to this one."""

from .backend import CpuBackend
from .warm_up import stages_beside

if __name__ == "__main__":
    for stage in stages_beside(CpuBackend(threads=1)):
        stage()
