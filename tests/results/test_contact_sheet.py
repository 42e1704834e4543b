# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
from PIL import Image

from cgc_addon.dataset.load import load_dataset
from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.results.contact_sheet import write_contact_sheet
from cgc_addon.training.pipeline import train
from cgc_addon.training.presets import preset
from cgc_addon.training.run_folder import RunFolder


def test_a_sheet_shows_each_view_in_five_ways(tiny_dataset, tmp_path):
    train(tiny_dataset, tmp_path / "run", preset("draft", steps=60))
    dataset = load_dataset(tiny_dataset)
    path = tmp_path / "sheet.png"
    write_contact_sheet(
        path, RunFolder(tmp_path / "run"), dataset, CpuBackend(), title="T", subtitle="S", rows=3
    )
    with Image.open(path) as image:
        sheet = np.array(image)
    views = 3
    photo = dataset.store.photo(0)
    height, width = photo.shape[:2]
    assert sheet.shape[0] > views * height
    assert sheet.shape[1] > 5 * width
    # The first photo stands unchanged in the first column.
    windows = np.lib.stride_tricks.sliding_window_view(sheet, photo.shape)[:, :, 0]
    assert (windows == photo).all(axis=(2, 3, 4)).any()
