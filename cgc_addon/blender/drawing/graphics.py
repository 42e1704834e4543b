# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's `gpu` module, typed and as far as it is used here; the stubs know it badly.

Everything in it needs a graphics context: a redraw of a window, or `gpu.init()`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, cast

import gpu
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gpu.types import (
        GPUBatch,
        GPUFrameBuffer,
        GPUShader,
        GPUShaderCreateInfo,
        GPUStageInterfaceInfo,
        GPUTexture,
    )

EVERYWHERE = "void main() { gl_Position = vec4(corner, 0.0, 1.0); }"
"""Vertex shader for the batch of `triangle_over_all`."""
_types: Any = gpu.types
_SOFTWARE = ("llvmpipe", "softpipe", "SwiftShader", "Microsoft Basic Render")


def in_software() -> bool:
    """Return whether the processor stands in for a graphics card, a thousand times as slow."""
    renderer = gpu.platform.renderer_get()
    return any(name in renderer for name in _SOFTWARE)


def new_texture(
    size: tuple[int, int], texel_format: str, values: NDArray[np.floating] | None = None
) -> GPUTexture:
    """Return a texture.

    Args:
        size: width and height.
        texel_format: such as "RGBA32F".
        values: (H, W, channels) or as many numbers in any shape, the first row at the bottom; None
            leaves it undefined.
    """
    if values is None:
        return _types.GPUTexture(size, format=texel_format)
    flat = np.ascontiguousarray(values, dtype=np.float32).reshape(-1)
    buffer = _types.Buffer("FLOAT", flat.size, flat)
    return _types.GPUTexture(size, format=texel_format, data=buffer)


def new_framebuffer(*targets: GPUTexture) -> GPUFrameBuffer:
    """Return a framebuffer that draws into textures of one size."""
    return _types.GPUFrameBuffer(color_slots=targets)


@contextmanager
def drawing_into(framebuffer: GPUFrameBuffer, size: tuple[int, int]) -> Iterator[None]:
    """Draw into all of a framebuffer; without blending and depth test, unless asked for."""
    with cast("AbstractContextManager[None]", framebuffer.bind()):
        gpu.state.viewport_set(0, 0, *size)
        gpu.state.blend_set("NONE")
        gpu.state.depth_test_set("NONE")
        yield


def wait_for(framebuffer: GPUFrameBuffer) -> None:
    """Wait until everything is drawn that was to be drawn into a framebuffer."""
    with cast("AbstractContextManager[None]", framebuffer.bind()):
        framebuffer.read_color(0, 0, 1, 1, 4, 0, "FLOAT")


def read_texture(texture: GPUTexture) -> NDArray[np.float32]:
    """Return a texture of four channels as (H, W, 4), the first row at the bottom."""
    framebuffer = new_framebuffer(texture)
    with cast("AbstractContextManager[None]", framebuffer.bind()):
        return read_color(framebuffer, (0, 0, texture.width, texture.height))


def read_color(framebuffer: GPUFrameBuffer, area: tuple[int, int, int, int]) -> NDArray[np.float32]:
    """Return the colours (H, W, 4) of an area: x, y, width, height."""
    x, y, width, height = area
    buffer: Any = framebuffer.read_color(x, y, width, height, 4, 0, "FLOAT")
    buffer.dimensions = 4 * width * height
    return np.frombuffer(buffer, dtype=np.float32).reshape(height, width, 4)


def read_depth(framebuffer: GPUFrameBuffer, area: tuple[int, int, int, int]) -> NDArray[np.float32]:
    """Return the depths (H, W) of an area: x, y, width, height."""
    x, y, width, height = area
    buffer: Any = framebuffer.read_depth(x, y, width, height)
    buffer.dimensions = width * height
    return np.frombuffer(buffer, dtype=np.float32).reshape(height, width)


def framebuffer_in_use() -> tuple[GPUFrameBuffer, tuple[int, int, int, int]]:
    """Return what is being drawn into, and where: x, y, width, height."""
    x, y, width, height = cast("Sequence[int]", gpu.state.viewport_get())
    framebuffer: Any = gpu.state.active_framebuffer_get  # which the stubs think sets it
    return framebuffer(), (x, y, width, height)


def new_shader_info(
    samplers: Sequence[str], constants: Mapping[str, str], outputs: Sequence[str]
) -> GPUShaderCreateInfo:
    """Return a description to be completed with inputs and sources.

    Args:
        samplers: names of two-dimensional textures.
        constants: types by name, such as "VEC4".
        outputs: names of what fragments write, four numbers each.
    """
    info: Any = _types.GPUShaderCreateInfo()
    for slot, name in enumerate(samplers):
        info.sampler(slot, "FLOAT_2D", name)
    for name, kind in constants.items():
        info.push_constant(kind, name)
    for slot, name in enumerate(outputs):
        info.fragment_out(slot, "VEC4", name)
    return info


def new_interface(name: str) -> GPUStageInterfaceInfo:
    """Return a description of what a vertex shader hands on; the name must be used only once."""
    return _types.GPUStageInterfaceInfo(name)


def with_numbers(source: str, numbers: Mapping[str, float]) -> str:
    """Return GLSL with constants written out that Python knows by these names."""
    for name, value in numbers.items():
        source = source.replace(name, repr(value))
    return source


def bind(
    shader: GPUShader, samplers: Mapping[str, GPUTexture], constants: Mapping[str, object]
) -> None:
    """Bind a shader with all it reads; numbers that are whole are sent as such."""
    typed: Any = shader
    typed.bind()
    # The first one last: Blender 5.3.0 may read in the first slot what was bound at the end.
    for name, texture in reversed(list(samplers.items())):
        typed.uniform_sampler(name, texture)
    for name, value in constants.items():
        send = typed.uniform_int if isinstance(value, int) else typed.uniform_float
        send(name, value)


def shader_over_all(info: GPUShaderCreateInfo, fragment_source: str) -> GPUShader:
    """Return a shader whose fragments are all pixels, for `triangle_over_all`."""
    info.vertex_in(0, "VEC2", "corner")
    info.vertex_source(EVERYWHERE)
    info.fragment_source(fragment_source)
    return gpu.shader.create_from_info(info)


def triangle_over_all() -> GPUBatch:
    """Return one triangle that covers everything."""
    corners = np.array([[-1.0, -1.0], [3.0, -1.0], [-1.0, 3.0]], dtype=np.float32)
    return new_batch("corner", corners, np.array([[0, 1, 2]]))


def new_batch(name: str, vertices: NDArray[np.float32], triangles: NDArray[np.integer]) -> GPUBatch:
    """Return triangles to draw.

    Args:
        name: of the attribute of vertices.
        vertices: (V, components) its values.
        triangles: (T, 3) indices of vertices.
    """
    layout = _types.GPUVertFormat()
    layout.attr_add(id=name, comp_type="F32", len=vertices.shape[1], fetch_mode="FLOAT")
    buffer = _types.GPUVertBuf(layout, len(vertices))
    buffer.attr_fill(name, np.ascontiguousarray(vertices, dtype=np.float32))
    indices = np.ascontiguousarray(triangles, dtype=np.int32)
    elements = _types.GPUIndexBuf(type="TRIS", seq=indices)
    return _types.GPUBatch(type="TRIS", buf=buffer, elem=elements)
