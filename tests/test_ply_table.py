# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of PLY files agree with those of plyfile, whatever stands before, between and after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plyfile import PlyData, PlyElement

from cgc_addon.errors import CgcError
from cgc_addon.ply_table import NUMBER_TYPES, read_header, read_table, write_table

ENCODINGS = [{"text": True}, {"byte_order": "<"}, {"byte_order": ">"}]
TYPES = sorted(set(NUMBER_TYPES.values()))


def table_of(path: Path, name: str = "vertex") -> np.ndarray:
    header = read_header(path)
    element = header.element(name)
    assert element is not None
    return read_table(header, element)


def random_rows(count: int, columns: list[tuple[str, str, bool]], seed: int) -> np.ndarray:
    """Rows (count,) of columns that are a name, a type and whether they hold lists."""
    generator = np.random.default_rng(seed)

    def numbers(kind: str, *shape: int) -> np.ndarray:
        if kind.startswith("f"):
            return generator.normal(size=shape).astype(kind)
        limits = np.iinfo(kind)
        return generator.integers(limits.min, limits.max, shape, kind, endpoint=True)

    rows = np.empty(count, [(name, "O" if is_list else kind) for name, kind, is_list in columns])
    for name, kind, is_list in columns:
        if is_list:
            for row in range(count):
                rows[name][row] = numbers(kind, generator.integers(0, 5))
        else:
            rows[name] = numbers(kind, count)
    return rows


columns_of = st.lists(
    st.tuples(st.sampled_from("abcde"), st.sampled_from(TYPES), st.booleans()),
    min_size=1,
    max_size=4,
    unique_by=lambda column: column[0],
)
elements_of = st.lists(st.tuples(st.integers(0, 4), columns_of), min_size=1, max_size=4)


@pytest.mark.parametrize("options", ENCODINGS)
def test_every_element_is_what_plyfile_wrote(tmp_path, options) -> None:
    path = tmp_path / "file.ply"

    @settings(
        max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
    )
    @given(elements=elements_of, seed=st.integers(0, 1000))
    def check(elements, seed) -> None:
        written = []
        for number, (count, columns) in enumerate(elements):
            rows = random_rows(count, columns, seed + number)
            lists = {name: kind for name, kind, is_list in columns if is_list}
            lengths = dict.fromkeys(lists, ("u1", "i2", "u4")[seed % 3])
            written.append(
                PlyElement.describe(rows, f"element{number}", val_types=lists, len_types=lengths)
            )
        PlyData(written, **options).write(str(path))
        header = read_header(path)
        assert [element.name for element in header.elements] == [item.name for item in written]
        for element, item in zip(header.elements, written, strict=True):
            assert element.count == item.count
            if element.has_lists or not element.count:
                continue
            table = read_table(header, element)
            assert table.dtype.names == item.data.dtype.names
            for name in table.dtype.names:
                np.testing.assert_array_equal(table[name], item.data[name])

    check()


def test_what_is_written_is_what_plyfile_writes_byte_for_byte(tmp_path) -> None:
    table = np.zeros(5, [("x", "<f4"), ("segment", "<i4")])
    table["x"], table["segment"] = np.arange(5) / 7, np.arange(5) - 2
    write_table(tmp_path / "ours.ply", table, "vertex")
    PlyData([PlyElement.describe(table, "vertex")], byte_order="<").write(str(tmp_path / "its.ply"))
    assert (tmp_path / "ours.ply").read_bytes() == (tmp_path / "its.ply").read_bytes()
    np.testing.assert_array_equal(table_of(tmp_path / "ours.ply"), table)


def test_columns_of_a_binary_file_are_not_read_before_they_are_used(tmp_path) -> None:
    write_table(tmp_path / "file.ply", np.zeros(5, [("x", "<f4")]), "vertex")
    assert isinstance(table_of(tmp_path / "file.ply"), np.memmap)


HEADER = """ply
format {encoding} 1.0
comment café
obj_info none
element face 2
property list uchar int vertex_indices
property float area
element vertex 2
property float x
property uchar red
end_header
"""


@pytest.mark.parametrize("order", ["<", ">"])
def test_lists_before_the_vertices_are_walked_through(tmp_path, order) -> None:
    encoding = {"<": "binary_little_endian", ">": "binary_big_endian"}[order]
    faces = [
        *(np.array([3], "u1"), np.array([0, 1, 2], order + "i4"), np.array([0.5], order + "f4")),
        *(np.array([0], "u1"), np.array([2.5], order + "f4")),
    ]
    vertices = np.array([(1.5, 7), (-2.0, 255)], [("x", order + "f4"), ("red", "u1")])
    data = b"".join(part.tobytes() for part in [*faces, vertices])
    path = tmp_path / "file.ply"
    head = HEADER.format(encoding=encoding).encode()
    path.write_bytes(head + data)
    np.testing.assert_array_equal(table_of(path), vertices)
    path.write_bytes(head + data + b"and more")
    np.testing.assert_array_equal(table_of(path), vertices)
    for length in range(len(data)):
        path.write_bytes(head + data[:length])
        with pytest.raises(CgcError, match="cut short or damaged: its header promises"):
            table_of(path)


def test_rows_of_text_may_have_blank_lines_and_no_last_line_break(tmp_path) -> None:
    path = tmp_path / "file.ply"
    head = HEADER.format(encoding="ascii")
    path.write_text(head + "3 0 1 2 0.5\n\n0 2.5\n 1.5\t7 \r\n\n-inf 255")
    table = table_of(path)
    np.testing.assert_array_equal(table["x"], [1.5, -np.inf])
    np.testing.assert_array_equal(table["red"], [7, 255])
    path.write_text(head + "0 1\n0 1\n1 2\n3 4\n5 6 and whatever follows\n")
    np.testing.assert_array_equal(table_of(path)["x"], [1, 3])


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("0 1\n0 1\n1 2\n" + " " * 9, "1 rows of 2 numbers were found, not 2 of 2"),
        ("0 1\n0 1\n" + "\n" * 9, "0 rows of 2 numbers were found"),
        ("0 1\n0 1\n1 2 3\n4 5 6\n", "2 rows of 3 numbers were found"),
        ("0 1\n0 1\n1 2\n4\n\n\n\n", "rows of `vertex`: .*columns"),
        ("0 1\n0 1\n1 2\nx 2\n", "rows of `vertex`: could not convert string 'x'"),
        ("0 1\n0 1\n1 2\né 2\n", "rows of `vertex`: .*ascii"),
    ],
)
def test_rows_of_text_that_do_not_fit_are_refused(tmp_path, rows, reason) -> None:
    path = tmp_path / "file.ply"
    path.write_text(HEADER.format(encoding="ascii") + rows, encoding="utf-8")
    with pytest.raises(CgcError, match=reason):
        table_of(path)


def test_a_list_of_fewer_than_no_items_is_refused(tmp_path) -> None:
    head = HEADER.format(encoding="binary_little_endian").replace("list uchar", "list char")
    path = tmp_path / "file.ply"
    path.write_bytes(head.encode() + b"\xff" * 100)
    with pytest.raises(CgcError, match="row 0 of `face` has a list of -1 items"):
        table_of(path)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("list uchar", "list float", "`property list float int vertex_indices`.* means nothing"),
        ("list uchar int", "list uchar word", "means nothing"),
        ("property float x", "property float", "`property float` in its header means nothing"),
        ("property uchar red", "property float x", "names `x` twice"),
        ("element vertex", "element face", "names `face` twice"),
        ("format ascii 1.0\n", "", "one line `format`"),
        ("comment café", "format ascii 1.0", "one line `format`"),
        ("format ascii 1.0", "format ascii 2.0", "`format ascii 2.0`"),
        ("comment café", "property int early", "`property int early` in its header means nothing"),
        ("obj_info none", "remark", "`remark` in its header means nothing"),
    ],
)
def test_a_header_that_means_nothing_is_refused(tmp_path, old, new, reason) -> None:
    path = tmp_path / "file.ply"
    head = HEADER.format(encoding="ascii")
    assert old in head
    path.write_text(head.replace(old, new) + "0 1\n0 1\n1 2\n3 4\n", encoding="utf-8")
    with pytest.raises(CgcError, match=reason):
        read_header(path)


def test_of_a_header_that_does_not_end_no_more_than_its_beginning_is_read(tmp_path) -> None:
    """Some file that begins like a PLY, as large as a disk, must not come into memory."""
    path = tmp_path / "endless.ply"
    comment = b"comment " + b"x" * 1000 + b"\n"
    path.write_bytes(b"ply\nformat ascii 1.0\n" + 100 * comment + b"end_header\n")
    with pytest.raises(CgcError, match="has no `end_header` line"):
        read_header(path)
    path.write_bytes(b"ply\nformat ascii 1.0\n" + 60 * comment + b"end_header\n")
    assert read_header(path).elements == ()
