"""Production, every cell: the stack starts healthy and answers each request of the contract."""

import re
from datetime import datetime, timedelta

import httpx
import pytest

from tests.docker.stack import Project, Stack, wait_for

pytestmark = pytest.mark.every
products = pytest.mark.only_where(sample=["products"])
stored = pytest.mark.only_where(sample=["products"], database=["sqlite", "postgresql", "mariadb"])
queued = pytest.mark.only_where(redis=["queue", "cache-and-queue"])

PEN = {"name": "Fountain pen", "description": "Medium nib", "price": "34.00", "stock": 2}
PROBLEM = "application/problem+json"
JSON = {"Content-Type": "application/json"}


def test_every_service_is_healthy(project: Project, production: Stack) -> None:
    """`up --wait` ends with every service healthy, and the migrations applied."""
    containers = production.containers()
    states = {name: one["State"].get("Health", one["State"])["Status"] for name, one in containers.items()}
    assert states == project.production_services
    assert all(one["State"]["ExitCode"] == 0 for one in containers.values())


def test_health(project: Project, production: Stack) -> None:
    """The service is alive and ready, with the state of each dependency that it has, and says what it is."""
    ready = {"status": "ready"}
    if project.has_database:
        ready["database"] = "up"
    if project.has_redis:
        ready["redis"] = "up"
    with production.client() as client:
        assert client.get("/health").json() == client.get("/up").json() == {"status": "ok"}
        assert client.get("/ready").json() == ready
        assert client.get("/").json() == {"name": project.answers["project_name"], "version": "0.1.0"}


def test_description(project: Project, production: Stack) -> None:
    """The API describes itself: the routes that the answers call for, and no others."""
    with production.client() as client:
        description = client.get("/openapi.json").json()
        assert client.get("/docs").headers["Content-Type"].startswith("text/html")
    assert description["openapi"].startswith("3.1")
    info = {"title": project.answers["project_name"], "description": project.answers["description"], "version": "0.1.0"}
    assert description["info"] == info
    methods = {path: set(operations) for path, operations in description["paths"].items()}
    assert methods.get("/reports", set()) == ({"post"} if project.queues else set())
    assert methods.get("/products", set()) - {"post"} == ({"get"} if project.has_products else set())
    assert ("post" in methods.get("/products", ())) == project.stores


def test_head(project: Project, production: Stack) -> None:
    """HEAD on a GET route answers as GET does, without a body."""
    paths = ["/health", "/up", "/ready", "/", "/docs", "/openapi.json"]
    paths += ["/products", "/products/999999"] if project.has_products else []
    paths += ["/reports/unknown"] if project.queues else []
    with production.client() as client:
        for path in paths:
            head, get = client.head(path), client.get(path)
            assert (head.status_code, head.content) == (get.status_code, b""), path
            assert head.headers["Content-Type"] == get.headers["Content-Type"], path


@products
def test_first_page(project: Project, production: Stack) -> None:
    """Without a query, the list is the page that the README names."""
    readme = (project.directory / "README.md").read_text(encoding="utf-8")
    (query,) = re.findall(r"\| a page of products: `\?(\S+)` \|", readme)
    with production.client() as client:
        page = client.get("/products").json()
    assert f"page={page['page']}&page_size={page['page_size']}" == query


@stored
def test_catalogue(production: Stack) -> None:
    """A product is created, listed, replaced and deleted, at the address that its creation returned."""
    with production.client() as client:
        created = client.post("/products", json=PEN)
        assert created.status_code == 201
        address = created.headers["Location"]
        assert created.json().items() >= PEN.items()
        for moment in ("created_at", "updated_at"):
            assert datetime.fromisoformat(created.json()[moment]).utcoffset() == timedelta(0)
        assert client.get(address).json() == created.json()
        page = client.get("/products", params={"page": 1, "page_size": 100}).json()
        assert created.json() in page["items"]
        assert page["total"] == len(page["items"])
        replaced = client.put(address, json={"name": "Pencil", "price": "1.5"})
        assert replaced.json().items() >= {"name": "Pencil", "price": "1.50", "stock": 0, "description": ""}.items()
        assert client.get(address).json() == replaced.json()
        assert client.delete(address).status_code == 204
        assert client.get(address).status_code == 404


@pytest.mark.only_where(sample=["products"], database=["none"])
def test_constant_catalogue(production: Stack) -> None:
    """Without a database the catalogue is constant, and a write is not allowed."""
    with production.client() as client:
        page = client.get("/products").json()
        assert page["total"] == len(page["items"]) > 0
        for product in page["items"]:
            assert client.get(f"/products/{product['id']}").json() == product
        for method, address in (("POST", "/products"), ("PUT", "/products/1"), ("DELETE", "/products/1")):
            assert_problem(client.request(method, address, json=PEN), 405)


def test_errors_have_one_shape(project: Project, production: Stack) -> None:
    """Whatever goes wrong is answered with problem details, in words about what was sent."""
    with production.client() as client:
        assert_problem(client.get("/nowhere"), 404)
        assert_problem(client.delete("/health"), 405)
        if project.has_products:
            for missing in ("999999", "9" * 20, "9" * 5000):
                response = client.get(f"/products/{missing}")
                assert response.status_code in (400, 404, 422)
                assert_problem(response, response.status_code)
            for query in ({"page": "0"}, {"page_size": "1000"}, {"page": "first"}):
                (name,) = query
                assert [one["field"] for one in assert_problem(client.get("/products", params=query), 422)] == [name]
        if project.stores:
            before = client.get("/products").json()
            for change in ({"price": "-1"}, {"price": "1_0"}, {"name": "\0"}, {"name": ""}, {"stock": 2**40}):
                (name,) = change
                assert [one["field"] for one in assert_problem(client.post("/products", json=PEN | change), 422)] == [
                    name
                ]
            assert_problem(client.post("/products", content="{", headers=JSON), 400)
            assert_problem(client.post("/products", content="[" * 100_000, headers=JSON), 400)
            assert_problem(client.post("/products", content=b"name=Pen"), 415)
            assert client.get("/products").json() == before
            # The last one: a server may close the connection, as it has not read the body.
            assert_problem(client.post("/products", content=b"x" * 1024 * 1025, headers=JSON), 413)


@pytest.mark.only_where(sample=["products"], redis=["cache", "cache-and-queue"])
def test_cache(project: Project, production: Stack) -> None:
    """A product is read once and then found in the cache; a change shows in the next answer."""
    for key in production.redis("--scan", "--pattern", "product:*").split():
        production.redis("unlink", key)
    with production.client() as client:
        address = client.post("/products", json=PEN).headers["Location"] if project.stores else "/products/2"
        first = client.get(address)
        assert first.headers["X-Cache"] == "MISS"
        wait_for(lambda: client.get(address).headers["X-Cache"] == "HIT")
        assert client.get(address).json() == first.json()
        if project.stores:
            assert client.put(address, json=PEN | {"price": "35.00"}).status_code == 200
            changed = client.get(address)
            assert (changed.headers["X-Cache"], changed.json()["price"]) == ("MISS", "35.00")
            # Another one: what has just been changed is not read from the cache anyway.
            address = client.post("/products", json=PEN).headers["Location"]
            wait_for(lambda: client.get(address).headers["X-Cache"] == "HIT")
            assert client.delete(address).status_code == 204
            assert client.get(address).status_code == 404


@queued
def test_report(project: Project, production: Stack) -> None:
    """A report that was asked for is made by the worker."""
    with production.client() as client:
        accepted = client.post("/reports")
        assert accepted.status_code == 202
        assert accepted.json()["status"] in ("queued", "started", "finished")
        wait_for(lambda: client.get(accepted.headers["Location"]).json()["status"] == "finished")
        report = client.get(accepted.headers["Location"]).json()
        assert report["id"] == accepted.json()["id"]
        if project.has_products:
            assert report["result"]["products"] == client.get("/products").json()["total"]
        else:
            assert report["result"].keys() == {"host", "python"}
        assert_problem(client.get("/reports/unknown"), 404)


def assert_problem(response: httpx.Response, status: int) -> list[dict[str, str]]:
    """Check that an answer is a problem with this status, and return the errors of its fields."""
    assert response.status_code == status, (response.request.url, response.text[:500])
    assert response.headers["Content-Type"] == PROBLEM, response.request.url
    body = response.json()
    assert body.keys() >= {"type", "title", "status", "detail"}, response.request.url
    assert (body["status"], bool(body["detail"])) == (status, True), response.request.url
    errors: list[dict[str, str]] = body.get("errors", [])
    assert all(error.keys() == {"field", "message"} for error in errors)
    return errors
