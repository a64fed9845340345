"""`make pin` and `make push`, against a registry on this machine."""

from collections.abc import Iterator

import httpx
import pytest

from tests.docker.stack import Project, free_port, wait_for


@pytest.fixture
def registry(project: Project) -> Iterator[str]:
    """Start a registry, and return its address."""
    name, port = f"{project.slug}-registry", free_port()
    project.run("docker", "run", "--detach", "--name", name, "--publish", f"127.0.0.1:{port}:5000", "registry:2")
    try:
        yield f"localhost:{port}"
    finally:
        project.run("docker", "rm", "--force", "--volumes", name)


@pytest.mark.only_where(base_image=["slim"], database=["sqlite"], redis=["none"], proxy=["none"])
@pytest.mark.one_for_each("proxy")
def test_pin(project: Project, registry: str) -> None:
    """Each image gets the digest that its registry has, once; a tag that is missing changes no file."""
    dockerfile, compose = project.directory / "Dockerfile", project.directory / "compose.yaml"
    before = dockerfile.read_text(encoding="utf-8")
    images = {f"python:{project.answers['python_version']}-slim", "ghcr.io/astral-sh/uv:0.13"}
    moved = before
    for image in images:
        assert image in before
        moved = moved.replace(image, f"{registry}/{image}")
        project.run("docker", "tag", image, f"{registry}/{image}")
    others = compose.read_bytes()
    try:
        dockerfile.write_text(moved, encoding="utf-8")
        assert "not found" in project.run("make", "pin", expect=2)
        assert dockerfile.read_text(encoding="utf-8") == moved
        digests = {}
        for image in images:
            pushed: list[str] = []

            def push(name: str = f"{registry}/{image}", pushed: list[str] = pushed) -> bool:
                """Push an image, and say whether the registry was ready for it."""
                pushed.append(project.run("docker", "push", name, expect=None))
                return "digest: sha256:" in pushed[-1]

            wait_for(push)
            digests[image] = pushed[-1].partition("digest: ")[2].split()[0]
        for _ in range(2):
            project.run("make", "pin")
            pinned = moved
            for image, digest in digests.items():
                pinned = pinned.replace(image, f"{image}@{digest}")
            assert dockerfile.read_text(encoding="utf-8") == pinned
        assert compose.read_bytes() == others
        assert not list(project.directory.glob("*.bak"))
        project.build()
    finally:
        dockerfile.write_text(before, encoding="utf-8")
        for image in images:
            project.run("docker", "rmi", f"{registry}/{image}")


@pytest.mark.only_where(redis=["queue", "cache-and-queue"], database=["postgresql", "mariadb"])
@pytest.mark.one_for_each("proxy")
def test_push(project: Project, image: str, registry: str) -> None:
    """As the README has it: with a name in the registry as IMAGE, the image of production is there, and no other is."""
    name = f"{registry}/{project.slug}"
    version = image.rpartition(":")[2]
    project.run("docker", "tag", image, f"{name}:{version}")
    try:
        wait_for(lambda: httpx.get(f"http://{registry}/v2/").status_code == 200)
        project.run("env", f"IMAGE={name}", "make", "push")
        catalog = httpx.get(f"http://{registry}/v2/_catalog").json()
        assert catalog == {"repositories": [project.slug]}
        tags = httpx.get(f"http://{registry}/v2/{project.slug}/tags/list").json()["tags"]
        assert tags == [version]
        project.run("docker", "rmi", f"{name}:{version}")
        project.run("docker", "pull", f"{name}:{version}")
        ids = {project.run("docker", "inspect", "--format", "{{.Id}}", one) for one in (image, f"{name}:{version}")}
        assert len(ids) == 1
    finally:
        project.run("docker", "rmi", f"{name}:{version}", expect=None)
