"""Make what was installed smaller and quicker to start: `python prepare.py module …`, for the Dockerfile.

Debug information is cut off the extension modules, as `strip` would, which slim images lack: of some it is nine tenths.
Then the named modules are compiled, with all that they import. In production nobody may write bytecode, and what has
none is compiled anew at every start.
"""

import importlib
import marshal
import struct
import sys
import sysconfig
import tempfile
from hashlib import sha256
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, ExtensionFileLoader, FileFinder, SourceFileLoader
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType
from typing import Any

# Kept from one build to the next: only a source that no build has seen before has to be compiled.
CACHE = Path("/root/.cache/bytecode")


def strip(file: Path) -> None:
    """Cut off what lies behind the last segment of an ELF file: nothing is ever loaded from there."""
    content = bytearray(file.read_bytes())
    if not content.startswith(b"\x7fELF\x02\x01"):
        return
    segments, sections = struct.unpack_from("<QQ", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    if sections:
        ends = (sum(struct.unpack_from("<8xQ16xQ", content, segments + size * number)) for number in range(count))
        del content[max(ends) :]
        # The table of sections was there too.
        struct.pack_into("<Q", content, 40, 0)
        struct.pack_into("<HH", content, 60, 0, 0)
        file.write_bytes(content)


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
    for file in Path(sysconfig.get_path("platlib")).rglob("*.so*"):
        strip(file)
    loaders = (ExtensionFileLoader, EXTENSION_SUFFIXES), (CachingLoader, SOURCE_SUFFIXES)
    sys.path_hooks.insert(0, FileFinder.path_hook(*loaders))
    sys.path_importer_cache.clear()
    for module in sys.argv[1:]:
        importlib.import_module(module)


if __name__ == "__main__":
    main()
