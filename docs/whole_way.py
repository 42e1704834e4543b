# SPDX-License-Identifier: GPL-3.0-or-later
"""From a capture to objects, masks, splats and a .blend, without a window.

    blender --background --python-exit-code 1 --python whole_way.py -- CAPTURE OUTPUT

CAPTURE holds images/, sparse/0/ and masks/. The extension has to be enabled in that Blender, and
its preferences or the variable CGC_PYTHON have to name the Python of the engine.
"""

import sys
from pathlib import Path

import bpy


def run(operator, **settings):
    """Call an operator; it blocks until all is done, and raises RuntimeError when it fails."""
    if operator("EXEC_DEFAULT", **settings) != {"FINISHED"}:
        raise SystemExit(f"{operator.idname()} was stopped")  # by Ctrl-C


capture_folder, output = (Path(name).absolute() for name in sys.argv[-2:])
bpy.ops.wm.read_homefile(use_empty=True)

# Cameras, photos and points. What the panel asks for is in scene.cgc.
run(bpy.ops.cgc.import_colmap, filepath=str(capture_folder))
settings = bpy.context.scene.cgc
settings.run = str(output / "run")
settings.preset = "draft"

# Train; then one collection for each object is there. A second call goes on where one was stopped.
run(bpy.ops.cgc.train, existing="RESUME")

# Other cuts of the same training take a moment: 0 parts, 1 whole objects.
run(bpy.ops.cgc.recut_segments, granularity=0.6)

# Collections and objects are ordinary ones.
segments = [item for item in bpy.data.collections if item.cgc.kind == "SEGMENT"]
segments.sort(key=lambda segment: segment.cgc.segment)
print("segments:", ", ".join(segment.name for segment in segments))
largest, smallest = segments[0], segments[-1]
for item in largest.objects:
    item.location.z += 0.5
for item in smallest.objects:
    item.hide_viewport = item.hide_render = True

# Label maps of every photo's camera, of the scene as it now is: OUTPUT/masks/labels/.
run(bpy.ops.cgc.render_masks, cameras="CAPTURE", folder=str(output / "masks"), overwrite=True)

# Splats as they now are, in one file and one by one: OUTPUT/objects/<segment>.ply.
run(bpy.ops.cgc.export_ply, filepath=str(output / "scene.ply"), what="VISIBLE")
run(bpy.ops.cgc.export_ply, filepath=str(output / "objects.ply"), what="SEGMENTS")

bpy.ops.wm.save_as_mainfile(filepath=str(output / "scene.blend"))
