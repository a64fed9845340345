"""Extract the virtual disk from a wheel and decompress it: `python qcow2.py WHEEL DISK`.

Reads https://www.qemu.org/docs/master/interop/qcow2.html without backing file, encryption or external data.
"""

import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

OFFSET = 0x00FFFFFFFFFFFE00
COMPRESSED = 1 << 62
SECTOR = 512


def clusters(disk: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the offset and the content of every allocated cluster; first the disk's size with empty content."""
    magic, version, backing, _, bits, size = struct.unpack_from(">4sIQIIQ", disk)
    if magic != b"QFI\xfb" or version not in (2, 3) or backing:
        sys.exit("error: this kind of virtual disk is not supported")
    cluster = 1 << bits
    entries = cluster // 8
    count, table = struct.unpack_from(">IQ", disk, 36)
    split = 62 - (bits - 8)
    yield size, b""
    for number, entry in enumerate(struct.unpack_from(f">{count}Q", disk, table)):
        if not entry & OFFSET:
            continue
        for index, data in enumerate(struct.unpack_from(f">{entries}Q", disk, entry & OFFSET)):
            offset = (number * entries + index) * cluster
            if data & COMPRESSED:
                start = data & ((1 << split) - 1)
                length = ((data & (COMPRESSED - 1)) >> split) * SECTOR + SECTOR - start % SECTOR
                yield offset, zlib.decompressobj(-15).decompress(disk[start : start + length], cluster)
            elif data & OFFSET and not data & 1:
                yield offset, disk[data & OFFSET : (data & OFFSET) + cluster]


def main(wheel: Path, target: Path) -> None:
    """Write the disk in the wheel to `target`."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".qcow2"))
        disk = archive.read(name)
    with target.open("wb") as file:
        for offset, content in clusters(disk):
            file.seek(offset)
            file.write(content)
            if not content:
                file.truncate(offset)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
