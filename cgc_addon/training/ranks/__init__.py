# SPDX-License-Identifier: GPL-3.0-or-later
"""Several processes, started by torchrun or a cluster, train one scene with torch.distributed."""
