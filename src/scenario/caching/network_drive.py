"""Whether a directory is on a drive that other machines write to as well."""

import os

_MOUNTS = "/proc/self/mounts"
_NETWORK_TYPES = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "fuse.glusterfs",
        "fuse.sshfs",
        "gpfs",
        "lustre",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
    }
)


def is_on_network_drive(directory: str) -> bool:
    """Tell whether a directory is on a network file system, as far as the system says so.

    Args:
        directory: Absolute path without symbolic links.
    """
    try:
        with open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as mounts:
            fields = [line.split() for line in mounts]
    except OSError:
        return False  # a system that does not list its mounts
    best, kind = "", ""
    for _, place, mounted, *_ in fields:
        place = place.encode("utf-8", "surrogateescape").decode("unicode_escape")
        if len(place) >= len(best) and os.path.commonpath([place, directory]) == place:
            best, kind = place, mounted
    return kind in _NETWORK_TYPES
