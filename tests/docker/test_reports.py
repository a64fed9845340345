"""What a failing Docker test prints: the state of every service, and the logs of what the failing one depends on."""

import pytest

from tests.docker.stack import Project, running


@pytest.mark.only_where(redis=["queue"], database=["none"])
@pytest.mark.one_for_each("redis")
def test_stack_that_does_not_start(project: Project, image: str) -> None:
    """Where Redis doesn't start, what waits for it fails, and Redis' own words are in the message."""
    assert image
    compose = (project.directory / "compose.prod.yaml").read_text(encoding="utf-8")
    broken = compose.replace("exec redis-server ", "exec false-start ")
    assert broken != compose
    (project.directory / "compose.broken.yaml").write_text(broken, encoding="utf-8")
    name = f"{project.slug}-broken"
    with (
        pytest.raises(AssertionError) as caught,
        running(project, "compose.broken.yaml", name, "up --detach --wait"),
    ):
        pass
    (project.directory / "compose.broken.yaml").unlink()
    said = str(caught.value)
    assert "NAME" in said  # docker compose ps --all
    assert f"{name}-redis-1" in said
    assert "false-start" in said
    assert project.run("docker", "ps", "--all", "--quiet", "--filter", f"name={name}") == ""
