"""What is around the web server, put together."""

from collections.abc import Iterator
from dataclasses import dataclass

from dockwright.dockerize.dynaconf import find_dynaconf
from dockwright.dockerize.paths import HOME
from dockwright.dockerize.programs import find_programs
from dockwright.dockerize.project import Project
from dockwright.dockerize.routes import find_health
from dockwright.dockerize.services import HOSTS, connections, find_services, local_address, local_settings, unreached
from dockwright.dockerize.settings import Setting
from dockwright.dockerize.workers import Worker, find_migrations, find_setup, find_workers
from dockwright.dockerize.writable import Writable, find_writable


@dataclass(frozen=True)
class Around:
    """Everything beside the web server."""

    # Data services, each with what speaks for it
    services: tuple[tuple[str, str], ...]
    # Settings that lead to them, with their values
    connections: tuple[tuple[str, str], ...]
    # The other settings
    settings: tuple[Setting, ...]
    workers: tuple[Worker, ...]
    migrate: tuple[str, ...]
    writable: tuple[Writable, ...]
    # Code with this address in it can't be led elsewhere: its services share one network interface
    local_address: str
    health: str
    health_reason: str
    notes: tuple[str, ...]


def look_around(project: Project) -> Around:
    """Return what the application needs beside itself."""
    services = find_services(project)
    address, place = local_address(project) if services else ("", "")
    known = dict(connections(project, services))
    written = find_writable(project, known)
    writable = [each for each in written if not each.path.startswith(HOME)]
    health, reason = find_health(project)
    notes = [*find_programs(project)]
    notes += [
        f"{each.path} is written ({each.reason}), and the home directory is lost with the container: write it below "
        "the application's own directory"
        for each in written
        if each not in writable
    ]
    if address:
        notes.append(
            f"{place} has {address}, where nothing listens in a container: the services share one network interface. "
            "Better: read it from the environment"
        )
    notes += [
        f"{each.name} leads to {each.default} by default ({each.place}), where nothing listens in a container: "
        "set it in compose.yaml"
        for each in local_settings(project.settings)
        if each.name not in known
    ]
    workers, migrations = find_workers(project), find_migrations(project)
    values = [*known.values(), *(word for worker in workers for word in worker.command)]
    notes += [
        f"no setting leads to {HOSTS[each]} ({services[each]}): read its address from the environment, "
        f"or delete the service {HOSTS[each]} from the compose files"
        for each in ([] if address else unreached(project, services, values))
    ]
    notes += _dynaconf(project)
    setup, where = find_setup(project)
    if setup and not migrations:
        notes.append(
            f"{where} has a command for the tables: after the first start, docker compose exec web flask {setup}"
        )
    notes += [
        f"{each.path} is written ({each.reason}): the container keeps it in the volume /data"
        for each in writable
        if each.is_file
    ]
    return Around(
        tuple(services.items()),
        tuple(known.items()),
        tuple(each for each in project.settings if each.name not in known),
        tuple(workers),
        migrations,
        tuple(writable),
        address,
        health,
        reason,
        tuple(notes),
    )


def _dynaconf(project: Project) -> Iterator[str]:
    """Say what dynaconf reads that is not in the image."""
    for found in find_dynaconf(project.modules):
        names = f"under names that begin with {found.prefix}_" if found.prefix else "under the same names"
        for file in found.secrets:
            yield f"{file} never reaches the image ({found.place}): give its values in the environment, {names}"
        if found.switch:
            yield f"{found.place} has environments: set {found.switch}=production in compose.prod.yaml"
