"""Behind a firewall: the README's build reads a private index, and leaves no secret in the image."""

import base64
import hashlib
import io
import itertools
import os
import re
import ssl
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

import pytest
import yaml

from dockwright.template import load
from tests.docker.stack import Project

PASSWORD = "word-of-the-private-index"  # noqa: S105 # what the test looks for
AUTHORIZATION = "Basic " + base64.b64encode(f"reader:{PASSWORD}".encode()).decode()
# An authority, and a certificate for localhost that it has signed
CERTIFICATES = """
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=company
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 2 -subj /CN=localhost \
    -CA ca.pem -CAkey ca.key -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE
"""


class Index(SimpleHTTPRequestHandler):
    """Lists and serves packages from a directory to those who know the password."""

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """Answer 401 without the password."""
        if self.headers["Authorization"] == AUTHORIZATION:
            return super().send_head()
        self.send_response(HTTPStatus.UNAUTHORIZED)
        self.send_header("WWW-Authenticate", "Basic")
        self.send_header("Content-Length", "0")
        self.end_headers()
        return None

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def serve(directory: Path, certificates: Path) -> Iterator[int]:
    """Serve an index over TLS, and yield its port."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificates / "certificate.pem", certificates / "key.pem")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Index, directory=str(directory))) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


def write_wheel(path: Path, modules: list[str]) -> None:
    """Write a package of empty modules."""
    about = "company_packages-1.0.dist-info"
    files = {f"{module.replace('.', '/')}/__init__.py": "" for module in modules}
    files[f"{about}/METADATA"] = "Metadata-Version: 2.1\nName: company-packages\nVersion: 1.0\n"
    files[f"{about}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{about}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{about}/RECORD"))
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)


@pytest.fixture
def company(project: Project, tmp_path: Path) -> Iterator[Project]:
    """Return a project of a company: it needs a package that only the company's index has."""
    answers = {**project.answers, "project_slug": f"{project.slug}-company"}
    company = Project(load().render(answers, tmp_path), answers)
    dockerfile = (company.directory / "Dockerfile").read_text(encoding="utf-8")
    (base,) = set(re.findall(r"^FROM (python\S+)", dockerfile, re.MULTILINE))
    volume = ("--volume", f"{tmp_path}:/made", "--workdir", "/made")
    project.run("docker", "run", "--rm", "--user", str(os.getuid()), *volume, base, "sh", "-euc", CERTIFICATES)
    (tmp_path / "ca.pem").rename(company.directory / "company-ca.pem")
    (tmp_path / ".netrc").write_text(f"machine localhost login reader password {PASSWORD}\n", encoding="utf-8")
    # The build imports these.
    modules = re.findall(r"\b(?:fastapi|flask|granian|prometheus)[\w.]*", dockerfile.partition('python -c "import')[2])
    wheel = tmp_path / "index" / "simple" / "company-packages" / "company_packages-1.0-py3-none-any.whl"
    write_wheel(wheel, modules)
    locked = f"company-packages==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"
    for name in ("requirements.txt", "requirements-dev.txt"):
        (company.directory / name).write_text(locked, encoding="utf-8")
    yield company
    company.remove_images()


@pytest.mark.only_where(base_image=["slim"])
@pytest.mark.one_for_each("framework")
def test_private_index(company: Project, tmp_path: Path) -> None:
    """The README's command and Compose install from an index with a password and a company's certificate."""
    readme = (company.directory / "README.md").read_text(encoding="utf-8")
    command = re.search(r"^docker build --build-arg UV_DEFAULT_INDEX=.*\\\n.*$", readme, re.MULTILINE)
    assert command
    with serve(tmp_path / "index", tmp_path) as port:
        adapted = command[0].replace("pypi.example.com", f"localhost:{port}").replace("$HOME", str(tmp_path))
        # On the host's network, where localhost is this machine
        company.run("bash", "-euc", adapted.replace("docker build", "docker build --network host"))
        for name in ("compose.yaml", "compose.prod.yaml"):
            edit(company.directory / name, readme, {"pypi.example.com": f"localhost:{port}", "${HOME}": str(tmp_path)})
            # What is cached asks no index.
            company.run("docker", "compose", "-f", name, "build", "--no-cache")
    line = (company.directory / "company-ca.pem").read_bytes().splitlines()[1]
    secrets = (PASSWORD.encode(), AUTHORIZATION.removeprefix("Basic ").encode(), line)
    history = company.run("docker", "history", "--no-trunc", company.slug).encode()
    installed = False
    for content in itertools.chain([history], contents(company, tmp_path / "image.tar")):
        installed |= b"Name: company-packages" in content
        assert not [secret for secret in secrets if secret in content]
    assert installed


def edit(file: Path, readme: str, replace: dict[str, str]) -> None:
    """Add to a compose file what the README says, on the host's network."""
    for old, new in replace.items():
        readme = readme.replace(old, new)
    blocks = re.findall(r"^```yaml\n(.*?)^```", readme.partition("## Behind a firewall")[2], re.DOTALL | re.MULTILINE)
    build, secrets = map(yaml.safe_load, blocks)
    compose = yaml.safe_load(file.read_text(encoding="utf-8"))
    compose["services"]["web"]["build"]["network"] = "host"
    compose["services"]["web"]["build"].setdefault("args", {}).update(build["args"])
    compose["services"]["web"]["build"]["secrets"] = build["secrets"]
    compose.setdefault("secrets", {}).update(secrets)
    file.write_text(yaml.safe_dump(compose), encoding="utf-8")


def contents(project: Project, archive: Path) -> Iterator[bytes]:
    """Yield all that an image consists of: its configuration, and the files of each layer."""
    project.run("docker", "save", "--output", str(archive), project.slug)
    with tarfile.open(archive) as image:
        for blob in filter(tarfile.TarInfo.isfile, image):
            content = image.extractfile(blob)
            assert content
            if not tarfile.is_tarfile(content):
                content.seek(0)
                yield content.read()
                continue
            content.seek(0)
            with tarfile.open(fileobj=content) as layer:
                for member in filter(tarfile.TarInfo.isfile, layer):
                    file = layer.extractfile(member)
                    assert file
                    yield file.read()
