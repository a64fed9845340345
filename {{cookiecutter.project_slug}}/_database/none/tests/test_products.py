"""Whether the sample catalogue can be read."""

import httpx
import pytest


def test_list(client: httpx.Client) -> None:
    """The list comes in pages, and tells how many there are in all."""
    page = client.get("/products", params={"page": 2, "page_size": 1}).json()
    assert page["items"] == [client.get("/products/2").json()]
    assert (page["page"], page["page_size"], page["total"]) == (2, 1, 3)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_refuse_writes(client: httpx.Client, method: str) -> None:
    """The sample can't be changed."""
    response = client.request(method, "/products" if method == "POST" else "/products/1", json={})
    assert (response.status_code, response.json()["title"]) == (405, "Method Not Allowed")


@pytest.mark.parametrize("address", ["/products/0", f"/products/{2**63}", "/products/x", "/nowhere"])
def test_missing(client: httpx.Client, address: str) -> None:
    """What is not there is answered with a problem."""
    response = client.get(address)
    assert (response.status_code, response.json()["title"]) == (404, "Not Found")
