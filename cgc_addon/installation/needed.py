# SPDX-License-Identifier: GPL-3.0-or-later
"""The packages that the engine imports, and what of each is imported to see that it works."""

from __future__ import annotations

NEEDED = {
    "numpy": "numpy",
    "torch": "torch",
    "numba": "numba",
    "scikit-learn": "sklearn.cluster",
    "scipy": "scipy.spatial",
    "pycolmap": "pycolmap",
    "safetensors": "safetensors",
    "pillow": "PIL.Image",
    "rich": "rich",
    "gsplat": "gsplat",
    "onnxruntime": "onnxruntime",
    "onnx": "onnx",
    "av": "av",
}
OPTIONAL = ("segment-anything", "torchvision")
"""What only the large mask models need: vit_b, vit_l, vit_h."""
