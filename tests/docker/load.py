"""A steady load on a service, as its clients send it: so many requests a second, whether they are answered or not."""

import contextlib
import http.client
import itertools
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

SECONDS = 15  # how long to wait for an answer


@dataclass
class Load:
    """Requests that were sent, and why some failed."""

    host: str
    port: int
    writes: bool  # whether products can be created
    sent: int = 0
    failed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Return how many requests were sent, and how many failed."""
        return f"{self.sent} sent, {len(self.failed)} failed"

    def send(self, number: int) -> None:
        """Send a request over a connection of its own, each fifth one a write; note when it has no good answer."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=SECONDS)
        start = time.monotonic()
        try:
            if self.writes and number % 5 == 0:
                product = json.dumps({"name": f"Pen {number}", "price": "1.00", "stock": 1})
                connection.request("POST", "/products", product, {"Content-Type": "application/json"})
            else:
                connection.request("GET", "/products" if self.writes else "/health")
            status = connection.getresponse().status
            problem = "" if status in (200, 201) else f"status {status}"
        except OSError as error:
            problem = repr(error)
        except http.client.HTTPException as error:
            problem = repr(error)
        finally:
            connection.close()
        if problem:
            self.failed.append(f"request {number}: {problem} after {time.monotonic() - start:.1f} s")


@contextlib.contextmanager
def load(port: int, *, rate: int, writes: bool, host: str = "127.0.0.1") -> Iterator[Load]:
    """Send `rate` requests a second until the end of the context."""
    result = Load(host, port, writes)
    ended = threading.Event()
    start = time.monotonic()

    with ThreadPoolExecutor(rate * SECONDS) as pool:

        def send_all() -> None:
            for number in itertools.count():
                if ended.wait(max(0, start + number / rate - time.monotonic())):
                    return
                result.sent += 1
                pool.submit(result.send, number)

        sender = threading.Thread(target=send_all)
        sender.start()
        try:
            yield result
        finally:
            ended.set()
            sender.join()
    print(result)
