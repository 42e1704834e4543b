# SPDX-License-Identifier: GPL-3.0-or-later
from cgc_addon.dataset.folder import LABEL_FOLDERS, DatasetFolder


def test_each_part_of_a_dataset_lies_where_the_documentation_says(tmp_path):
    folder = DatasetFolder(tmp_path)
    paths = {
        "images": folder.images,
        "sparse/0": folder.model,
        "masks": folder.masks,
        "masks_parts": folder.parts,
        "gt": folder.truth,
        "solve": folder.solve_work,
        "solve.json": folder.solve_report,
        "from_photos.json": folder.photo_job,
    }
    assert {path.relative_to(tmp_path).as_posix(): path for path in paths.values()} == paths
    assert not list(tmp_path.iterdir())


def test_the_first_folder_of_label_maps_that_exists_is_read(tmp_path):
    folder = DatasetFolder(tmp_path)
    assert folder.label_folder() is None
    (tmp_path / LABEL_FOLDERS[0]).write_text("no folder")
    for name in ("object_mask", "seg_masks"):
        (tmp_path / name).mkdir()
        assert folder.label_folder() == tmp_path / name


def test_folders_are_found_in_any_case(tmp_path):
    folder = DatasetFolder(tmp_path)
    (tmp_path / "Masks").mkdir()
    found = folder.label_folder()
    assert found is not None
    assert found.samefile(tmp_path / "Masks")
    assert folder.photos_folder() is None
    (tmp_path / "IMAGES").mkdir()
    found = folder.photos_folder()
    assert found is not None
    assert found.samefile(tmp_path / "IMAGES")
