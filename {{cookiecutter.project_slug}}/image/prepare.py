"""Make what was installed smaller and quicker to start: `python prepare.py module …`, for the Dockerfile.

Extension modules lose the sources that they were built from, which nothing reads, and their debug information, as
`strip` would do it, which slim images lack: of some it is nine tenths. Then the named modules are compiled, with all
that they import. In production nobody may write bytecode, and what has none is compiled anew at every start.
"""

import gc
import importlib
import marshal
import struct
import sys
import tempfile
from hashlib import sha256
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, ExtensionFileLoader, FileFinder, SourceFileLoader
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType
from typing import Any

# Kept from one build to the next: only a source that no build has seen before has to be compiled.
CACHE = Path("/root/.cache/bytecode")
SOURCES = {".c", ".cc", ".cpp", ".h", ".hpp", ".pxd", ".pxi", ".pyx"}


def strip(file: Path) -> None:
    """Cut off what lies behind the last segment of an ELF file: nothing is ever loaded from there."""
    with file.open("rb") as module:
        header = module.read(64)
        if not header.startswith(b"\x7fELF\x02\x01"):
            return
        segments, sections = struct.unpack_from("<QQ", header, 32)
        size, count = struct.unpack_from("<HH", header, 54)
        module.seek(segments)
        table = module.read(size * count)
    if sections:
        with file.open("r+b") as module:
            module.truncate(max(sum(struct.unpack_from("<8xQ16xQ", table, size * number)) for number in range(count)))
            # The table of sections was there too.
            module.seek(40)
            module.write(bytes(8))
            module.seek(60)
            module.write(bytes(4))


class CachingLoader(SourceFileLoader):
    """Loads a module as Python does, with the bytecode of an earlier build where its source was the same."""

    def source_to_code(self, data: Any, path: Any, **options: Any) -> CodeType:  # type: ignore[override]
        """Return the compiled source."""
        known = CACHE / sha256(MAGIC_NUMBER + str(path).encode() + b"\n" + data).hexdigest()
        if known.exists():
            code: CodeType = marshal.loads(known.read_bytes())  # noqa: S302  # written below
            return code
        code = super().source_to_code(data, path, **options)
        # Renamed when it is whole: other builds may be reading.
        with tempfile.NamedTemporaryFile(dir=CACHE, delete=False) as unfinished:
            marshal.dump(code, unfinished)
        Path(unfinished.name).rename(known)
        return code


def main() -> None:
    """Prepare the packages of the environment that this runs in."""
    for file in Path(sys.prefix).rglob("*"):
        if file.suffix in SOURCES:
            file.unlink()
        elif ".so" in file.suffixes:
            strip(file)
    # What is imported is no garbage: looking for some takes a while.
    gc.disable()
    loaders = (ExtensionFileLoader, EXTENSION_SUFFIXES), (CachingLoader, SOURCE_SUFFIXES)
    sys.path_hooks.insert(0, FileFinder.path_hook(*loaders))
    sys.path_importer_cache.clear()
    for module in sys.argv[1:]:
        importlib.import_module(module)


if __name__ == "__main__":
    main()
