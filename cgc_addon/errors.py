# SPDX-License-Identifier: GPL-3.0-or-later
"""The two ways a job ends early without being a defect."""


class CgcError(Exception):
    """Something the user can mend: one sentence with the file, the place, the reason and the cure.

    The command line prints the message alone and exits with 1; Blender shows it in the panel.
    Anything else that is raised is a defect of this program and keeps its traceback.
    """


class Interrupted(Exception):  # noqa: N818 - not an error: the user asked for it
    """The user stopped the job; whatever could be kept has been saved."""
