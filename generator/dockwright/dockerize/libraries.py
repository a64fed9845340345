"""Libraries of the system: what a package without a wheel is compiled with, and what it or others need to run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dockwright.dockerize.requirements import Requirements


@dataclass(frozen=True)
class Library:
    """What a Python package needs of Debian and of Alpine."""

    debian: tuple[str, ...] = ()
    alpine: tuple[str, ...] = ()
    # Without a wheel: what Alpine compiles it with; Debian's full Python image has its own
    build: tuple[str, ...] = ()
    is_compiled: bool = False


def _compiled(debian: str, alpine: str, build: str) -> Library:
    return Library(tuple(debian.split()), tuple(alpine.split()), tuple(build.split()), is_compiled=True)


def _opened(debian: str, alpine: str) -> Library:
    """Return what is opened by name, or is a program: it can't be seen in the package."""
    return Library(tuple(debian.split()), tuple(alpine.split()))


LIBRARIES = {
    "psycopg2": _compiled("libpq5", "libpq", "postgresql-dev"),
    "psycopg-c": _compiled("libpq5", "libpq", "postgresql-dev"),
    "mysqlclient": _compiled("libmariadb3", "mariadb-connector-c", "pkgconf mariadb-dev"),
    "pycairo": _compiled("libcairo2", "cairo", "pkgconf cairo-dev"),
    "python-ldap": _compiled("libldap2 libsasl2-2", "libldap", "openldap-dev"),
    "uwsgi": _compiled("", "", "linux-headers"),
    "weasyprint": _opened(
        "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core", "pango font-dejavu"
    ),
    "cairosvg": _opened("libcairo2", "cairo"),
    "python-magic": _opened("libmagic1", "libmagic"),
    "pyzbar": _opened("libzbar0", "zbar"),
    "pdf2image": _opened("poppler-utils", "poppler-utils"),
    "pydub": _opened("ffmpeg", "ffmpeg"),
    "pytesseract": _opened("tesseract-ocr", "tesseract-ocr"),
    "opencv-python": _opened("libgl1 libglib2.0-0", "mesa-gl glib"),
    "opencv-contrib-python": _opened("libgl1 libglib2.0-0", "mesa-gl glib"),
}
# A shared library that a log says is missing, and the packages of Debian and Alpine that have it
MISSING = {
    "libpq.so.5": ("libpq5", "libpq"),
    "libmariadb.so.3": ("libmariadb3", "mariadb-connector-c"),
    "libGL.so.1": ("libgl1", "mesa-gl"),
    "libgthread-2.0.so.0": ("libglib2.0-0", "glib"),
    "libglib-2.0.so.0": ("libglib2.0-0", "glib"),
    "libgomp.so.1": ("libgomp1", "libgomp"),
    "libcairo.so.2": ("libcairo2", "cairo"),
    "libmagic.so.1": ("libmagic1", "libmagic"),
    "libxml2.so.2": ("libxml2", "libxml2"),
    "libxslt.so.1": ("libxslt1.1", "libxslt"),
    "libstdc++.so.6": ("libstdc++6", "libstdc++"),
    "libgcc_s.so.1": ("libgcc-s1", "libgcc"),
}
# Packages that run without a wheel for musl only after being compiled, or not at all
NOT_ON_ALPINE = ("opencv-python", "opencv-python-headless", "tensorflow", "torch")

# So many packages are named that have to be compiled.
NAMED = 4


@dataclass(frozen=True)
class System:
    """The packages of the base image's distribution."""

    run: tuple[str, ...] = ()
    build: tuple[str, ...] = ()
    # The Python packages that have to be compiled
    compiled: tuple[str, ...] = ()
    # Those that need something at run time
    needing: tuple[str, ...] = ()


def choose_libraries(requirements: Requirements, base: str, extra: Iterable[str], *, compiled: Sequence[str]) -> System:
    """Return what the dependencies need of the distribution; `compiled` is what else has no wheel."""
    needed = {name: library for name, library in LIBRARIES.items() if requirements.has(name)}
    # psycopg without an extra opens libpq by name.
    if requirements.has("psycopg") and not requirements.has("psycopg-binary", "psycopg-c"):
        needed["psycopg"] = _opened("libpq5", "libpq")
    others = (*compiled[:NAMED], "others") if len(compiled) > NAMED else tuple(compiled)
    known = tuple(name for name, library in needed.items() if library.is_compiled)
    # Slim images have no git to fetch them with, the full one has.
    declared = (each.name for each in requirements.declared if (each.url or "").startswith("git+"))
    fetched = tuple(dict.fromkeys([*declared, *requirements.from_git]))
    built = tuple(dict.fromkeys([*known, *fetched, *others]))
    run = {package for each in needed.values() for package in (each.alpine if base == "alpine" else each.debian)}
    build = {package for each in needed.values() for package in each.build} if base == "alpine" else set()
    if base == "alpine":
        build |= {"git"} if fetched else set()
        # What others are written in is not known.
        build |= {"g++", "make"} if others else set()
    needing = tuple(name for name, each in needed.items() if (each.alpine if base == "alpine" else each.debian))
    return System(tuple(sorted({*run, *extra})), tuple(sorted(build)), built, needing)
