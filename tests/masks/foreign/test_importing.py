# SPDX-License-Identifier: GPL-3.0-or-later
"""Importing masks of other programs: golden files of each kind, and files that are wrong."""

import base64
import io
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from cgc_addon.dataset.label_maps import read_label_map
from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.masks.foreign.importing import import_label_maps
from cgc_addon.masks.foreign.maps import label_map_of_ids

from .test_run_length import counts_of_mask, text_of_counts

WIDTH, HEIGHT = 24, 16
NAMES = ("frame_0001.jpg", "frame_0002.jpg", "frame_0003.jpg")


@pytest.fixture
def dataset(tmp_path):
    """Three photos of 24×16."""
    return make_dataset(tmp_path / "dataset", NAMES)


def make_dataset(folder, names, size=(WIDTH, HEIGHT)):
    for name in names:
        path = folder / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (90, 120, 30)).save(path)
    return folder


def labels(seed=1, count=4):
    """A label map: stripes of ids, some unlabelled pixels."""
    ids = np.repeat(np.arange(WIDTH) * (count + 1) // WIDTH, HEIGHT).reshape(WIDTH, HEIGHT).T
    return np.roll(ids, seed, axis=1).astype(np.uint16)


def save(path, values, mode=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values, mode).save(path)
    return path


def stored(dataset, stem, folder="masks"):
    return read_label_map(dataset / folder / f"{stem}.png")


def regions(ids):
    """Return the masks of a label map, whatever their ids are."""
    return {(ids == number).tobytes() for number in np.unique(ids[ids > 0])}


def check_golden(dataset, source, kind):
    """Check that all three photos get the regions of `labels`, under any ids."""
    summary = import_label_maps(source, dataset)
    assert kind in summary.kind
    assert summary.imported == NAMES
    assert summary.without == summary.kept == ()
    for number, name in enumerate(NAMES, start=1):
        found = stored(dataset, name.removesuffix(".jpg"))
        assert found.shape == (HEIGHT, WIDTH)
        assert regions(found) == regions(labels(number))
        np.testing.assert_array_equal(found == 0, labels(number) == 0)
    return summary


# ---- Label maps ----------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["{}.png", "{}_mask.png", "object_mask/{}.png", "{}.jpg.png"])
def test_grey_label_maps_keep_their_ids(dataset, tmp_path, pattern):
    for number, name in enumerate(NAMES, start=1):
        save(tmp_path / "s" / pattern.format(name.removesuffix(".jpg")), labels(number))
    check_golden(dataset, tmp_path / "s", "label maps")
    np.testing.assert_array_equal(stored(dataset, "frame_0002"), labels(2))
    with Image.open(dataset / "masks" / "frame_0002.png") as image:
        assert image.mode == "L"


def test_16_bit_ids_stay_as_they_are(dataset, tmp_path):
    save(tmp_path / "s" / "frame_0001.png", labels() * 1000)
    import_label_maps(tmp_path / "s", dataset)
    np.testing.assert_array_equal(stored(dataset, "frame_0001"), labels() * 1000)


def test_palettes_give_their_indices(dataset, tmp_path):
    for number, name in enumerate(NAMES, start=1):
        image = Image.fromarray(labels(number).astype(np.uint8))
        image.putpalette([7, 7, 7, 255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])
        (tmp_path / "s").mkdir(exist_ok=True)
        image.save(tmp_path / "s" / name.replace(".jpg", "_seg.png"))
    check_golden(dataset, tmp_path / "s", "label maps")


@pytest.mark.parametrize("alpha", [False, True])
def test_colours_become_ids(dataset, tmp_path, alpha):
    colors = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 1], [255, 255, 255]], np.uint8)
    for number, name in enumerate(NAMES, start=1):
        ids = labels(number)
        picture = colors[ids]
        if alpha:  # what is transparent may have any colour below
            opaque = np.where(ids > 0, 255, 0).astype(np.uint8)
            picture = np.dstack([np.where(ids[..., None] > 0, picture, 77), opaque])
        save(tmp_path / "s" / name.replace(".jpg", ".png"), picture.astype(np.uint8))
    check_golden(dataset, tmp_path / "s", "label maps")
    found = stored(dataset, "frame_0001")
    order = [found[labels() == number][0] for number in (3, 2, 1, 4)]
    assert order == [1, 2, 3, 4]  # by their values: blue, green, red, white


def test_photos_in_other_folders_and_bigger_maps_of_the_same_shape(tmp_path):
    dataset = make_dataset(tmp_path / "d", ["left/1.png", "right/1.png"])
    big = np.kron(labels(), np.ones((2, 2), np.uint16))
    for side in ("left", "right"):
        save(tmp_path / "s" / side / "1.png", big)
    summary = import_label_maps(tmp_path / "s", dataset)
    assert summary.imported == ("left/1.png", "right/1.png")
    np.testing.assert_array_equal(stored(dataset, "left/1"), big)


def test_order_is_taken_where_names_do_not_tell_and_it_is_said(dataset, tmp_path):
    for number in range(3):
        save(tmp_path / "s" / f"{number:05d}.png", labels(number + 1))
    summary = check_golden(dataset, tmp_path / "s", "label maps")
    assert "order" in summary.how
    assert summary.how in summary.sentences()[0]


def test_a_photo_that_exif_turns_takes_masks_of_either_shape(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "d" / "images").mkdir(parents=True)
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "d" / "images" / "a.jpg", exif=exif)
    save(tmp_path / "s" / "a.png", labels().T.copy())
    assert import_label_maps(tmp_path / "s", tmp_path / "d").imported == ("a.jpg",)


def test_photos_with_cameras_are_those_that_count(tiny_dataset, tmp_path):
    import shutil

    dataset = tmp_path / "d"
    shutil.copytree(tiny_dataset, dataset, ignore=shutil.ignore_patterns("masks", "gt"))
    Image.new("RGB", (48, 36)).save(dataset / "images" / "unposed.png")
    # Coloured maps in a folder of the dataset keep it from being loaded, not from being mended.
    colors = np.zeros((36, 48, 3), np.uint8)
    colors[5:20, 5:20] = 200
    for name in ("0003", "unposed"):
        save(dataset / "object_mask" / f"{name}.png", colors)
    summary = import_label_maps(dataset / "object_mask", dataset)
    assert summary.imported == ("0003.png",)
    assert "unposed.png" not in summary.without
    assert summary.strangers == (str(dataset / "object_mask" / "unposed.png"),)


def test_a_corrected_map_that_is_replaced_takes_its_original_along(dataset, tmp_path):
    save(dataset / "masks" / "frame_0001.png", labels(2))
    kept = save(dataset / "masks" / ".originals" / "frame_0001.png", labels(3))
    save(tmp_path / "s" / "frame_0001.png", labels())
    import_label_maps(tmp_path / "s", dataset)
    assert kept.exists()
    import_label_maps(tmp_path / "s", dataset, overwrite=True)
    assert not kept.exists()
    np.testing.assert_array_equal(stored(dataset, "frame_0001"), labels())


# ---- Arrays --------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", [np.uint8, np.int64, np.int32, np.uint64, ">i4"])
def test_arrays_of_any_integer_type(dataset, tmp_path, type_):
    for number, name in enumerate(NAMES, start=1):
        (tmp_path / "s").mkdir(exist_ok=True)
        np.save(tmp_path / "s" / name.replace(".jpg", ".npy"), labels(number).astype(type_))
    check_golden(dataset, tmp_path / "s", "NumPy")


def test_negative_ids_are_unlabelled_and_0_is_then_an_object(dataset, tmp_path):
    for number, name in enumerate(NAMES, start=1):
        (tmp_path / "s").mkdir(exist_ok=True)
        values = labels(number).astype(np.int64) - 1
        np.save(tmp_path / "s" / name.replace(".jpg", ".npy"), np.asfortranarray(values))
    check_golden(dataset, tmp_path / "s", "NumPy")


@settings(deadline=None)
@given(
    arrays(
        st.sampled_from([np.int64, np.int32, np.uint64, np.uint16, bool]),
        st.tuples(st.integers(1, 6), st.integers(1, 6)),
    )
)
def test_any_ids_keep_apart_what_they_kept_apart(ids):
    found = label_map_of_ids(ids, "a file")
    assert found.dtype == np.uint16
    unlabelled = ids < 0 if (ids < 0).any() else ids == 0
    np.testing.assert_array_equal(found == 0, unlabelled)
    kept = ids[~unlabelled]
    assert len(np.unique(kept)) == len(np.unique(found[~unlabelled]))
    assert len({*zip(kept.tolist(), found[~unlabelled].tolist(), strict=True)}) == len(
        np.unique(kept)
    )
    if not unlabelled.any() or ids.min() == 0:
        assert ids.max() > 65535 or (found == ids).all()


def test_more_ids_than_a_label_map_holds_are_refused():
    with pytest.raises(CgcError, match="has 70,001 different ids"):
        label_map_of_ids(np.arange(70_001).reshape(1, -1), "a.npy")


# ---- A picture for each object -------------------------------------------------------------------


def write_objects(folder, mode):
    for number, name in enumerate(NAMES, start=1):
        home = folder / name.removesuffix(".jpg")
        home.mkdir(parents=True)
        for label in range(1, 5):
            mask = labels(number) == label
            if mode == "RGBA":
                color = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
                save(home / f"{label}.png", np.dstack([color, mask.astype(np.uint8) * 255]))
            else:
                Image.fromarray(mask).convert(mode).save(home / f"object {label}.png")
        (home / "metadata.csv").write_text("id,area\n")


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA"])
def test_a_folder_for_each_photo_with_a_picture_for_each_object(dataset, tmp_path, mode):
    write_objects(tmp_path / "s" / "masks", mode)
    check_golden(dataset, tmp_path / "s", "a picture for each object")


def test_names_of_objects_that_are_those_of_photos_do_not_mislead(tmp_path):
    dataset = make_dataset(tmp_path / "d", ["0.jpg", "1.jpg"])
    for photo in range(2):
        for number in range(2):
            save(
                tmp_path / "s" / str(photo) / f"{number}.png",
                (labels() == number + 1) * np.uint8(255),
            )
    summary = import_label_maps(tmp_path / "s", dataset)
    assert summary.kind == "a picture for each object"
    assert len(regions(stored(dataset, "0"))) == 2


def test_small_objects_lie_on_large_ones(dataset, tmp_path):
    large, small = np.zeros((2, HEIGHT, WIDTH), bool)
    large[2:14, 2:22] = True
    small[5:9, 5:9] = True
    for number, mask in enumerate((small, large)):
        save(tmp_path / "s" / "frame_0001" / f"{number}.png", mask)
    import_label_maps(tmp_path / "s", dataset)
    found = stored(dataset, "frame_0001")
    assert len(np.unique(found[small])) == 1
    assert found[6, 6] not in (0, found[3, 3])
    assert found[3, 3] == found[12, 20] != 0


def test_a_picture_of_an_object_with_shades_is_refused(dataset, tmp_path):
    write_objects(tmp_path / "s", "L")
    save(
        tmp_path / "s" / "frame_0002" / "soft.png", np.tile(np.arange(24, dtype=np.uint8), (16, 1))
    )
    fails(dataset, tmp_path / "s", "soft.png", "two values, but has 24", untouched=False)


def test_pictures_of_one_photo_must_have_one_size(dataset, tmp_path):
    save(tmp_path / "s" / "frame_0001" / "a.png", labels() == 1)
    save(tmp_path / "s" / "frame_0001" / "b.png", np.ones((8, 12), bool))
    fails(dataset, tmp_path / "s", "b.png is 12×8 px, but", "a.png", "24×16")


# ---- JSON ----------------------------------------------------------------------------------------


def segmentation(mask, form):
    if form == "text":
        return {"size": [HEIGHT, WIDTH], "counts": text_of_counts(counts_of_mask(mask))}
    if form == "list":
        return {"size": [HEIGHT, WIDTH], "counts": counts_of_mask(mask)}
    polygons = []  # a rectangle for each run of columns
    columns = np.flatnonzero(np.diff(np.concatenate([[0], mask[0].astype(int), [0]])))
    for left, right in columns.reshape(-1, 2).tolist():
        polygons.append([left, 0, right, 0, right, HEIGHT, left, HEIGHT])
    return polygons


def annotations(number, form):
    return [
        {
            "segmentation": segmentation(labels(number) == label, form),
            "area": int((labels(number) == label).sum()),
            "bbox": [0, 0, 1, 1],
            "predicted_iou": 0.9,
        }
        for label in range(1, 5)
    ]


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


@pytest.mark.parametrize("form", ["text", "list", "polygons"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_json_of_the_automatic_generator(dataset, tmp_path, form, wrapped):
    for number, name in enumerate(NAMES, start=1):
        value = annotations(number, form)
        if wrapped:
            value = {
                "image": {"file_name": name, "width": WIDTH, "height": HEIGHT},
                "annotations": value,
            }
        write_json(tmp_path / "s" / name.replace(".jpg", ".json"), value)
    check_golden(dataset, tmp_path / "s", "a file for each photo")


# ---- LabelMe -------------------------------------------------------------------------------------


def labelme(shapes):
    return {
        "version": "5.4.1",
        "shapes": shapes,
        "imageWidth": WIDTH,
        "imageHeight": HEIGHT,
    }


def shape(points, kind="polygon", group=None, **more):
    return {"label": "mug", "points": points, "shape_type": kind, "group_id": group, **more}


def picture_of(mask):
    file = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8)).save(file, format="PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize("form", ["polygon", "rectangle", "mask"])
def test_labelme_files(dataset, tmp_path, form):
    """Four things of one label: what has no group is a thing of its own."""
    for number, name in enumerate(NAMES, start=1):
        shapes = []
        for label in range(1, 5):
            mask = labels(number) == label
            columns = np.flatnonzero(np.diff(np.concatenate([[0], mask[0].astype(int), [0]])))
            # A stripe that goes over the edge of the photo is one thing of two shapes.
            for left, right in columns.reshape(-1, 2).tolist():
                corners = [[left, 0], [right, 0], [right, HEIGHT], [left, HEIGHT]]
                points = corners if form == "polygon" else [corners[0], corners[2]]
                more = {"mask": picture_of(mask[:, left:right])} if form == "mask" else {}
                shapes.append(shape(points, form, label, **more))
        shapes.append(shape([[1, 1]], "point"))
        write_json(tmp_path / "s" / name.replace(".jpg", ".json"), labelme(shapes))
    check_golden(dataset, tmp_path / "s", "a file for each photo")


def test_labelme_circles_and_shapes_without_a_group(dataset, tmp_path):
    shapes = [shape([[6, 8], [9, 8]], "circle"), shape([[18, 8], [21, 8]], "circle")]
    write_json(tmp_path / "s" / "frame_0001.json", labelme(shapes))
    import_label_maps(tmp_path / "s", dataset)
    ids = stored(dataset, "frame_0001")
    assert len(regions(ids)) == 2
    y, x = np.indices(ids.shape) + 0.5
    inside = (np.hypot(x - 6, y - 8) < 2.9) | (np.hypot(x - 18, y - 8) < 2.9)
    outside = (np.hypot(x - 6, y - 8) > 3.1) & (np.hypot(x - 18, y - 8) > 3.1)
    assert (ids[inside] > 0).all()
    assert (ids[outside] == 0).all()


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("x", "shape 0 is none"),
        (shape([[0, 0], [1, 1]]), "mask 0 cannot be read: a polygon has less"),
        (
            shape([[0, 0], [1, 1], [2, float("nan")]]),
            "a polygon has a corner that is no number",
        ),
        (shape([[0, 0], [1, 1]], "spiral"), "'spiral' are not known"),
        (shape([[0, 0], [1, 1]], "mask", mask="!!"), "mask 0 cannot be read"),
        (shape([[0, 0], [1, 1]], "mask", mask=b"aGFsbG8=".decode()), "its picture cannot be read"),
        (
            shape([[20, 0], [30, 1]], "mask", mask=picture_of(np.ones((4, 9), bool))),
            "outside the photo",
        ),
        (shape("points"), "mask 0 cannot be read"),
    ],
)
def test_damaged_labelme_files_are_one_sentence(dataset, tmp_path, broken, words):
    path = write_json(tmp_path / "s" / "frame_0001.json", labelme([broken]))
    with pytest.raises(CgcError, match=re.escape(words)) as raised:
        import_label_maps(tmp_path / "s", dataset)
    assert str(raised.value).startswith(f"{path}: ")


def coco(form="text"):
    images = [
        {"id": n, "file_name": f"photos/{name}", "width": WIDTH, "height": HEIGHT}
        for n, name in enumerate(NAMES, start=1)
    ]
    masks = [
        {"id": 10 * n + i, "image_id": n, "category_id": 1, "iscrowd": 0, **mask}
        for n in (3, 1, 2)
        for i, mask in enumerate(annotations(n, form))
    ]
    return {"images": images, "annotations": masks, "categories": [{"id": 1, "name": "thing"}]}


@pytest.mark.parametrize("form", ["text", "list", "polygons"])
@pytest.mark.parametrize("as_file", [False, True])
def test_a_coco_file_for_all_photos(dataset, tmp_path, form, as_file):
    path = write_json(tmp_path / "s" / "instances.json", coco(form))
    (tmp_path / "s" / "readme.txt").write_text("made by hand")
    check_golden(dataset, path if as_file else tmp_path / "s", "COCO")


def test_ids_of_images_may_be_text_in_one_place_and_numbers_in_the_other(dataset, tmp_path):
    value = coco()
    for record in value["images"]:
        record["id"] = str(record["id"])
    check_golden(dataset, write_json(tmp_path / "a.json", value), "COCO")


def test_a_coco_file_without_sizes_takes_them_from_the_run_lengths(dataset, tmp_path):
    value = coco()
    for record in value["images"]:
        del record["width"], record["height"]
    check_golden(dataset, write_json(tmp_path / "a.json", value), "COCO")
    value["annotations"][0]["segmentation"]["size"] = [HEIGHT, WIDTH + 9]
    other = make_dataset(tmp_path / "other", NAMES)
    fails(other, write_json(tmp_path / "a.json", value), "33×16 px, but its photo")


def test_a_photo_without_objects_gets_an_empty_map(dataset, tmp_path):
    write_json(tmp_path / "s" / "frame_0001.json", [])
    import_label_maps(tmp_path / "s", dataset)
    assert stored(dataset, "frame_0001").shape == (HEIGHT, WIDTH)
    assert not stored(dataset, "frame_0001").any()


def test_many_masks_of_a_large_photo_are_made_smaller(dataset, tmp_path, monkeypatch):
    from cgc_addon.masks.foreign import maps as foreign_maps

    monkeypatch.setattr(foreign_maps, "STACK_BYTES", 4 * (WIDTH // 2) * (HEIGHT // 2))
    write_json(tmp_path / "s" / "frame_0001.json", annotations(1, "text"))
    import_label_maps(tmp_path / "s", dataset)
    found = stored(dataset, "frame_0001")
    assert found.shape == (HEIGHT // 2, WIDTH // 2)
    assert len(regions(found)) == 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"counts": "0 1"}, "mask 0 cannot be read: its counts hold a character"),
        ({"counts": [3, 4]}, "add up to 7 pixels instead of 16 × 24"),
        ({"counts": None}, "mask 0 cannot be read"),
        ({"size": [8, 8]}, "is 8×8 px, but its photo"),
        ({"size": [0, 8]}, "is no size of a photo"),
        ({"size": "big"}, "mask 0 cannot be read"),
        ({"size": [1 << 20, 1 << 20]}, "is no size of a photo"),
    ],
)
def test_damaged_run_lengths_are_one_sentence(dataset, tmp_path, change, words):
    value = annotations(1, "list")
    value[0]["segmentation"].update(change)
    write_json(tmp_path / "s" / "frame_0001.json", value)
    fails(dataset, tmp_path / "s", "frame_0001.json", words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda value: value["images"][0].pop("file_name"), "image 0 has no file_name"),
        (lambda value: value["annotations"][2].update(image_id=77), "annotation 2 belongs to no"),
        (lambda value: value["annotations"].append(5), "annotation 12 belongs to no"),
        (
            lambda value: [mask.update(segmentation=[]) for mask in value["annotations"]],
            "no shapes, only boxes",
        ),
        (
            lambda value: value["annotations"][0].update(segmentation=[[1, 2, 3]]),
            "less than three corners",
        ),
        (lambda value: value["annotations"][0].update(segmentation="x"), "neither run lengths nor"),
        (lambda value: value["images"][1].update(width=99), "99×16 px, but its photo"),
    ],
)
def test_damaged_coco_files_are_one_sentence(dataset, tmp_path, change, words):
    value = coco()
    change(value)
    write_json(tmp_path / "s" / "coco.json", value)
    fails(dataset, tmp_path / "s", "coco.json", words, untouched=False)


# ---- What stays, what is told --------------------------------------------------------------------


def test_masks_that_are_there_stay_unless_asked_otherwise(dataset, tmp_path):
    old = save(dataset / "masks" / "frame_0002.png", np.full((HEIGHT, WIDTH), 9, np.uint8))
    before = old.read_bytes()
    for number, name in enumerate(NAMES, start=1):
        save(tmp_path / "s" / name.replace(".jpg", ".png"), labels(number))
    summary = import_label_maps(tmp_path / "s", dataset)
    assert summary.imported == (NAMES[0], NAMES[2])
    assert summary.kept == (NAMES[1],)
    assert old.read_bytes() == before
    assert any("--overwrite" in sentence for sentence in summary.sentences())
    again = import_label_maps(tmp_path / "s", dataset)
    assert again.imported == ()
    assert again.kept == NAMES
    summary = import_label_maps(tmp_path / "s", dataset, overwrite=True)
    assert summary.imported == NAMES
    np.testing.assert_array_equal(stored(dataset, "frame_0002"), labels(2))


def test_what_has_none_and_what_belongs_to_none_is_told(dataset, tmp_path):
    save(tmp_path / "s" / "frame_0001_mask.png", labels())
    save(tmp_path / "s" / "frame_0003_mask.png", labels())
    save(tmp_path / "s" / "frame_0009_mask.png", labels())
    (tmp_path / "s" / ".hidden.png").write_bytes(b"")
    summary = import_label_maps(tmp_path / "s", dataset)
    assert summary.without == (NAMES[1],)
    assert summary.strangers == (str(tmp_path / "s" / "frame_0009_mask.png"),)
    said = " ".join(summary.sentences())
    assert "Found label maps for 2 photos, matched by name but for '_mask'." in said
    assert "1 photos have no masks here: frame_0002.jpg." in said
    assert "frame_0009_mask.png" in said
    assert ".hidden" not in said


def test_the_folder_of_label_maps_that_is_in_use_gets_them(dataset, tmp_path):
    save(dataset / "seg_masks" / "frame_0001.png", labels(5))
    save(tmp_path / "s" / "frame_0002.png", labels())
    summary = import_label_maps(tmp_path / "s", dataset)
    assert summary.folder == dataset / "seg_masks"
    assert (dataset / "seg_masks" / "frame_0002.png").exists()
    assert not (dataset / "masks").exists()


def test_a_folder_of_the_dataset_itself_is_imported_into_masks(dataset):
    save(dataset / "object_mask" / "frame_0001.png", labels())
    summary = import_label_maps(dataset / "object_mask", dataset)
    assert summary.folder == dataset / "masks"
    with pytest.raises(CgcError, match="move it somewhere else"):
        import_label_maps(dataset / "masks", dataset, overwrite=True)


def test_the_source_is_left_as_it_is_and_stopping_keeps_what_is_done(dataset, tmp_path):
    for number, name in enumerate(NAMES, start=1):
        save(tmp_path / "s" / name.replace(".jpg", ".png"), labels(number))
    before = {path: path.read_bytes() for path in (tmp_path / "s").iterdir()}
    seen = []
    with pytest.raises(Interrupted):
        import_label_maps(
            tmp_path / "s", dataset, report=seen.append, should_stop=lambda: len(seen) > 1
        )
    written = sorted(path.name for path in (dataset / "masks").iterdir())
    assert written == ["frame_0001.png", "frame_0002.png"]
    assert seen[0].total == 3
    import_label_maps(tmp_path / "s", dataset)
    assert {path: path.read_bytes() for path in (tmp_path / "s").iterdir()} == before


# ---- What is wrong -------------------------------------------------------------------------------


def fails(dataset, source, *words, untouched=True):
    with pytest.raises(CgcError) as caught:
        import_label_maps(source, dataset)
    sentence = str(caught.value)
    assert "\n" not in sentence
    for word in words:
        assert word in sentence
    if untouched:
        assert not list(dataset.glob("masks/**/*.png"))
    assert not list(dataset.glob("**/*.tmp"))


def test_sizes_are_checked_before_anything_is_written(dataset, tmp_path):
    save(tmp_path / "s" / "frame_0001.png", labels())
    save(tmp_path / "s" / "frame_0003.png", labels().T.copy())
    fails(dataset, tmp_path / "s", "frame_0003.png is 16×24 px", "frame_0003.jpg is 24×16")


def test_truncated_pictures_are_named(dataset, tmp_path):
    path = save(tmp_path / "s" / "frame_0001.png", labels() * 321)
    path.write_bytes(path.read_bytes()[:-30])
    fails(dataset, tmp_path / "s", str(path))


@pytest.mark.parametrize("content", [b"", b"no picture"])
@pytest.mark.parametrize("ending", ["png", "npy", "json"])
def test_files_of_other_content_are_named(dataset, tmp_path, ending, content):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / f"frame_0001.{ending}").write_bytes(content)
    fails(dataset, tmp_path / "s", f"frame_0001.{ending}")


def test_a_photo_in_place_of_a_label_map_is_told(tmp_path):
    dataset = make_dataset(tmp_path / "d", ["a.jpg"], (100, 80))
    noise = np.random.default_rng(0).integers(0, 256, (80, 100, 3), dtype=np.uint8)
    save(tmp_path / "s" / "a.png", noise)
    fails(dataset, tmp_path / "s", "a.png has", "colours: it is a photo")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((HEIGHT, WIDTH), np.float32), "holds float32"),
        (np.full((HEIGHT, WIDTH), np.nan), "holds float64"),
        (np.zeros((3, HEIGHT, WIDTH), bool), "has 3 dimensions (3, 16, 24)"),
        (np.zeros((0, 0), np.int32), "frame_0001.npy"),
        (np.array([[{}]], object), "frame_0001.npy"),
    ],
)
def test_other_arrays_are_one_sentence(dataset, tmp_path, values, words):
    (tmp_path / "s").mkdir()
    np.save(tmp_path / "s" / "frame_0001.npy", values, allow_pickle=True)
    fails(dataset, tmp_path / "s", words)


def test_a_truncated_array_is_one_sentence(dataset, tmp_path):
    (tmp_path / "s").mkdir()
    path = tmp_path / "s" / "frame_0001.npy"
    np.save(path, labels())
    path.write_bytes(path.read_bytes()[:-20])
    fails(dataset, tmp_path / "s", "could not be read as a NumPy array")


def test_fractions_in_a_picture_are_refused(dataset, tmp_path):
    (tmp_path / "s").mkdir()
    Image.fromarray(np.zeros((HEIGHT, WIDTH), np.float32)).save(tmp_path / "s" / "frame_0001.tif")
    fails(dataset, tmp_path / "s", "holds fractions")


def test_sources_without_masks_are_one_sentence(dataset, tmp_path):
    fails(dataset, tmp_path / "none", "does not exist")
    source = tmp_path / "s"
    source.mkdir()
    fails(dataset, source, "is empty")
    (source / "readme.txt").write_text("")
    fails(dataset, source, "holds no masks for these photos (1 files: .txt)", "frame_0001.jpg")
    save(source / "x.png", labels())
    fails(dataset, source, "holds no masks for these photos (2 files: .png, .txt)")
    write_json(source / "frame_0001.json", {"camera": [1, 2, 3]})
    fails(dataset, source, "holds no masks for these photos")


def test_jpeg_masks_are_refused(dataset, tmp_path):
    for name in NAMES:
        save(tmp_path / "s" / name, labels().astype(np.uint8))
    fails(dataset, tmp_path / "s", "JPEG files, which blur ids")


def test_two_sets_of_masks_are_not_guessed_at(dataset, tmp_path):
    for name in NAMES:
        for folder in ("masks", "gt"):
            save(tmp_path / "s" / folder / name.replace(".jpg", ".png"), labels())
    fails(dataset, tmp_path / "s", "several sets of masks", "name a folder")
    save(tmp_path / "t" / "frame_0001.png", labels())
    save(tmp_path / "t" / "frame_0001.tif", labels())
    fails(dataset, tmp_path / "t", "are masks of one name")


def test_a_dataset_without_photos_is_one_sentence(tmp_path):
    save(tmp_path / "s" / "a.png", labels())
    fails(tmp_path / "none", tmp_path / "s", "holds no photos")
