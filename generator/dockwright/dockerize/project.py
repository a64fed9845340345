"""An application with its code and its dependencies: what every further question is asked of."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from dockwright.dockerize.applications import Candidate
from dockwright.dockerize.launches import Launch
from dockwright.dockerize.modules import Module, Modules
from dockwright.dockerize.requirements import Requirements
from dockwright.dockerize.settings import Setting
from dockwright.dockerize.sources import Sources, is_beside, join


@dataclass(frozen=True)
class Project:
    """What has been found so far."""

    sources: Sources
    modules: Modules
    launches: list[Launch]
    application: Candidate
    # The directory that has the dependencies, from the one that was looked at
    home: str
    requirements: Requirements
    settings: tuple[Setting, ...]
    # Packages of the repository beside it that it installs
    libraries: tuple[str, ...] = ()

    @property
    def workdir(self) -> str:
        """The directory that the command runs in, from the one that has the dependencies."""
        return self._places[0]

    @property
    def pythonpath(self) -> str:
        """What has to be on Python's path beside it."""
        return self._places[1]

    @property
    def part(self) -> str:
        """The application's own directory in the project: that of a workspace's member, or the whole."""
        return self.requirements.members[0] if self.requirements.package else self.home

    @property
    def parts(self) -> tuple[str, ...]:
        """The directories with the application's code."""
        return self.requirements.members if self.requirements.package else (self.home,)

    @property
    def _places(self) -> tuple[str, str]:
        root = self.application.root
        below = str(PurePosixPath(root).relative_to(self.home)) if root != self.home else "."
        if below == ".":
            return ".", ""
        part = str(PurePosixPath(self.part).relative_to(self.home))
        if part != ".":
            return part, below if below != part else ""
        if below in {"src", "lib"} or join(root, "__init__.py") in self.sources:
            return ".", below
        return below, ""

    def files(self, *words: str) -> Iterator[str]:
        """Yield the application's files without tests and scripts, or those whose text has one of these words."""
        starts = tuple("" if part == "." else f"{part}/" for part in (*self.parts, *self.libraries))
        return (name for name in self.modules.naming(*words) if name.startswith(starts) and not is_beside(name))

    def code(self, *words: str) -> Iterator[Module]:
        """Yield the files whose text has one of these words, parsed."""
        return filter(None, map(self.modules.get, self.files(*words)))

    def imports(self, package: str) -> bool:
        """Tell whether the application imports a package."""
        modules = self.code(f"import {package}", f"from {package}")
        return any(name.partition(".")[0] == package for module in modules for name in module.imported_modules)
