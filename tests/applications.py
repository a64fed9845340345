"""Small applications of many shapes, as people write them: each is a mapping of files, written into a directory."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

Files = Mapping[str, str]

# The class's exercise: "you receive a complete Flask Product API, already written; containerise it"
PRODUCT_API = """
    from flask import Flask, jsonify, request

    app = Flask(__name__)

    products = [
        {"id": 1, "name": "Laptop", "price": 999.99},
        {"id": 2, "name": "Mouse", "price": 25.50},
    ]


    @app.route("/health")
    def health():
        return jsonify({"status": "healthy"})


    @app.route("/products", methods=["GET"])
    def get_products():
        return jsonify(products)


    @app.route("/products", methods=["POST"])
    def add_product():
        product = request.get_json()
        products.append(product)
        return jsonify(product), 201


    if __name__ == "__main__":
        app.run(host="0.0.0.0", port=5000)
"""
FLASK = """
    from flask import Flask

    app = Flask(__name__)


    @app.route("/")
    def index():
        return "flask"
"""
FASTAPI = """
    from fastapi import FastAPI

    app = FastAPI()


    @app.get("/")
    def index() -> dict[str, str]:
        return {"hello": "fastapi"}
"""
FACTORY = """
    from flask import Flask


    def create_app(test_config=None):
        app = Flask(__name__)

        @app.get("/")
        def index():
            return "factory"

        return app
"""
PYPROJECT = """
    [project]
    name = "shop"
    version = "1.0"
    requires-python = ">=3.11"
    dependencies = ["{dependency}"]
"""
MIGRATION = """
    from alembic import op

    revision = "0001"
    down_revision = None


    def upgrade():
        op.execute("create table items (id integer)")
"""
UV_LOCK = """
    version = 1
    requires-python = ">=3.11"

    [[package]]
    name = "fastapi"
    version = "0.165.0"
    source = { registry = "https://pypi.example.com/simple" }
    dependencies = [{ name = "starlette" }]

    [package.optional-dependencies]
    standard = [{ name = "uvicorn", extra = ["standard"] }]

    [[package]]
    name = "starlette"
    version = "1.10.0"

    [[package]]
    name = "uvicorn"
    version = "0.54.0"

    [package.optional-dependencies]
    standard = [{ name = "websockets" }]

    [[package]]
    name = "websockets"
    version = "15.0"

    [[package]]
    name = "pytest"
    version = "9.0"
"""

SHAPES: dict[str, Files] = {
    "one-file": {"app.py": PRODUCT_API, "requirements.txt": "flask\n"},
    "no-requirements": {"app.py": PRODUCT_API},
    "package": {
        "requirements.txt": "Flask==3.1.3\ngunicorn==27.0.1\n",
        "shop/__init__.py": FLASK + "\n    from shop import views\n",
        "shop/views.py": """
            from shop import app


            @app.get("/healthz")
            def healthz():
                return "ok"
        """,
        "run.py": """
            from shop import app

            if __name__ == "__main__":
                app.run(debug=True, port=8080)
        """,
    },
    "factory": {"requirements.txt": "flask\n", "shop/__init__.py": FACTORY},
    "factory-arguments": {
        "requirements.txt": "flask\n",
        "shop/__init__.py": FACTORY.replace("test_config=None", "config_name"),
        "manage.py": """
            from shop import create_app

            if __name__ == "__main__":
                create_app("production").run()
        """,
    },
    "factory-instance": {
        "requirements.txt": "flask\n",
        "shop/__init__.py": FACTORY.replace("test_config=None", "config_name"),
        "wsgi.py": """
            import os

            from shop import create_app

            app = create_app(os.environ.get("CONFIG", "production"))
        """,
    },
    "src-layout": {
        "pyproject.toml": PYPROJECT.replace("{dependency}", "flask"),
        "src/shop/__init__.py": "",
        "src/shop/web.py": FACTORY,
        "tests/test_shop.py": "from shop.web import create_app\n\napp = create_app()\n",
    },
    "script": {
        "README.md": "Run it:\n\n    python src/app.py\n",
        "requirements.txt": "flask\n",
        "src/app.py": FLASK.replace("from flask", "import models\n    from flask"),
        "src/models.py": "",
    },
    "wsgi": {
        "requirements.txt": "flask\nwaitress\n",
        "wsgi.py": "from website.app import app as application\n",
        "website/__init__.py": "",
        "website/app.py": FLASK,
    },
    "routers": {
        "requirements.txt": "fastapi[standard]\n",
        "app/__init__.py": "",
        "app/main.py": """
            from fastapi import FastAPI

            from app.routers import items

            app = FastAPI(title="Shop")
            app.include_router(items.router)
        """,
        "app/routers/__init__.py": "",
        "app/routers/items.py": """
            from fastapi import APIRouter

            router = APIRouter(prefix="/items")


            @router.get("/")
            def list_items() -> list[str]:
                return ["pen"]


            @router.get("/health")
            def health() -> str:
                return "ok"
        """,
    },
    "namespace-package": {
        "requirements.txt": "fastapi\nuvicorn\n",
        "app/main.py": "from app.routers import items\n" + textwrap.dedent(FASTAPI),
        "app/routers/items.py": "",
    },
    "uv": {
        "pyproject.toml": PYPROJECT.replace("{dependency}", "fastapi[standard]"),
        "uv.lock": UV_LOCK,
        "main.py": FASTAPI,
    },
    "poetry": {
        "pyproject.toml": """
            [tool.poetry]
            name = "shop"
            version = "1.0"
            description = ""
            authors = []

            [tool.poetry.dependencies]
            python = "^3.11"
            flask = "^3.1"

            [tool.poetry.group.dev.dependencies]
            pytest = "*"
        """,
        "poetry.lock": """
            [[package]]
            name = "flask"
            version = "3.1.3"
            groups = ["main"]

            [[package]]
            name = "gunicorn"
            version = "27.0.1"
            groups = ["dev"]
        """,
        "shop/__init__.py": "",
        "shop/app.py": FLASK,
    },
    "pdm": {
        "pyproject.toml": PYPROJECT.replace("{dependency}", "flask"),
        "pdm.lock": '[[package]]\nname = "flask"\nversion = "3.1.3"\ngroups = ["default"]\n',
        "app.py": FLASK,
    },
    "pipenv": {
        "Pipfile": '[packages]\nflask = "*"\n\n[requires]\npython_version = "3.13"\n',
        "Pipfile.lock": '{"default": {"flask": {"version": "==3.1.3"}}, "develop": {"gunicorn": {}}}',
        "app.py": FLASK,
    },
    "pip-tools": {
        "requirements.in": "flask\n",
        "requirements.txt": "flask==3.1.3 \\\n    --hash=sha256:" + "0" * 64 + "\n",
        "app.py": FLASK,
    },
    "included-requirements": {
        "requirements/base.txt": "flask\n",
        "requirements/production.txt": "-r base.txt\ngunicorn\n-c limits.txt\n",
        "requirements/limits.txt": "flask<4\n",
        "requirements/test.txt": "pytest\n",
        "app.py": FLASK,
    },
    "pep-621": {"pyproject.toml": PYPROJECT.replace("{dependency}", "fastapi"), "main.py": FASTAPI},
    "setup-py": {
        "setup.py": """
            from setuptools import find_packages, setup

            setup(
                name="shop",
                long_description=open("README.md").read(),
                packages=find_packages(),
                install_requires=["flask"],
                python_requires=">=3.9",
            )
        """,
        "README.md": "# Shop\n",
        "shop/__init__.py": FACTORY,
    },
    "celery": {
        "requirements.txt": "flask\ncelery\npackaging\nredis\n",
        "app.py": """
            import os

            from celery import Celery
            from flask import Flask

            app = Flask(__name__)
            address = os.environ.get("CELERY_BROKER_URL", "redis://localhost:6379/0")
            celery = Celery(app.name, broker=address, backend=address)


            @celery.task
            def add(a, b):
                return a + b


            @app.get("/add")
            def start():
                return str(add.delay(1, 2).get(timeout=20))
        """,
    },
    "local-redis": {
        "requirements.txt": "flask\nredis\n",
        "app.py": """
            import redis
            from flask import Flask

            app = Flask(__name__)
            store = redis.from_url("redis://localhost:6379/0")


            @app.get("/")
            def count():
                return str(store.incr("visits"))
        """,
    },
    "rq": {
        "requirements.txt": "fastapi\nuvicorn\nrq\n",
        "main.py": """
            import os

            from fastapi import FastAPI
            from redis import Redis
            from rq import Queue

            from jobs import double

            app = FastAPI()
            queue = Queue("numbers", connection=Redis.from_url(os.environ["REDIS_URL"]))


            @app.get("/double/{number}")
            def start(number: int) -> str:
                return queue.enqueue(double, number).id


            @app.get("/jobs/{name}")
            def result(name: str) -> int | None:
                return queue.fetch_job(name).return_value()
        """,
        "jobs.py": "def double(number):\n    return 2 * number\n",
    },
    "arq": {
        "requirements.txt": "fastapi\nuvicorn\narq\n",
        "shop/__init__.py": "",
        "shop/web.py": """
            from arq import create_pool
            from fastapi import FastAPI

            from shop.jobs import redis

            app = FastAPI()


            @app.get("/double/{number}")
            async def start(number: int) -> int:
                pool = await create_pool(redis)
                job = await pool.enqueue_job("double", number)
                return await job.result(timeout=20)
        """,
        "shop/jobs.py": """
            import os

            from arq.connections import RedisSettings

            redis = RedisSettings.from_dsn(os.environ["REDIS_URL"])


            async def double(context, number):
                return 2 * number


            class WorkerSettings:
                functions = [double]
                redis_settings = redis
        """,
    },
    "dramatiq": {
        "requirements.txt": "flask\ndramatiq[redis]\n",
        "app.py": """
            from flask import Flask

            from tasks import double

            app = Flask(__name__)


            @app.get("/double/<int:number>")
            def start(number):
                return str(double.send(number).get_result(block=True, timeout=20_000))
        """,
        "broker.py": """
            import os

            import dramatiq
            from dramatiq.brokers.redis import RedisBroker
            from dramatiq.results import Results
            from dramatiq.results.backends import RedisBackend

            address = os.getenv("REDIS_URL", "redis://localhost:6379/0")
            redis = RedisBroker(url=address)
            redis.add_middleware(Results(backend=RedisBackend(url=address)))
            dramatiq.set_broker(redis)
        """,
        "tasks.py": """
            import dramatiq

            import broker


            @dramatiq.actor(store_results=True)
            def double(number):
                return 2 * number
        """,
    },
    "taskiq": {
        "requirements.txt": "fastapi\nuvicorn\ntaskiq\ntaskiq-redis\n",
        "main.py": """
            from contextlib import asynccontextmanager

            from fastapi import FastAPI

            from broker import broker
            from tasks import double


            @asynccontextmanager
            async def lifespan(app):
                await broker.startup()
                yield
                await broker.shutdown()


            app = FastAPI(lifespan=lifespan)


            @app.get("/double/{number}")
            async def start(number: int) -> int:
                task = await double.kiq(number)
                return (await task.wait_result(timeout=20)).return_value
        """,
        "broker.py": """
            import os

            from taskiq import TaskiqScheduler
            from taskiq.schedule_sources import LabelScheduleSource
            from taskiq_redis import ListQueueBroker, RedisAsyncResultBackend

            address = os.environ["REDIS_URL"]
            broker = ListQueueBroker(address).with_result_backend(RedisAsyncResultBackend(address))
            scheduler = TaskiqScheduler(broker, [LabelScheduleSource(broker)])
        """,
        "tasks.py": """
            from broker import broker


            @broker.task(schedule=[{"cron": "0 * * * *", "args": [1]}])
            async def double(number: int) -> int:
                return 2 * number
        """,
    },
    "socketio": {
        "requirements.txt": "flask\nflask-socketio\n",
        "chat.py": """
            from flask import Flask
            from flask_socketio import SocketIO

            app = Flask(__name__)
            socketio = SocketIO(app)


            @app.get("/")
            def index():
                return "chat"


            if __name__ == "__main__":
                socketio.run(app)
        """,
    },
    "asgi-socketio": {
        "requirements.txt": "fastapi\npython-socketio\nuvicorn\n",
        "main.py": """
            import socketio
            from fastapi import FastAPI

            api = FastAPI()
            server = socketio.AsyncServer(async_mode="asgi")
            app = socketio.ASGIApp(server, other_asgi_app=api)
        """,
    },
    "static": {
        "requirements.txt": "flask\n",
        "app.py": FLASK.replace('return "flask"', 'return render_template("index.html")').replace(
            "import Flask", "import Flask, render_template"
        ),
        "templates/index.html": '<link rel="stylesheet" href="/static/site.css">static\n',
        "static/site.css": "body { color: black }\n",
        "docs/notes.md": "notes\n",
    },
    "front-end": {
        "requirements.txt": "flask\n",
        "shop/__init__.py": "",
        "shop/web.py": """
            from flask import Flask

            app = Flask(__name__, static_folder="../frontend/dist", static_url_path="/")


            @app.get("/")
            def index():
                return app.send_static_file("index.html")
        """,
        "frontend/package.json": '{"name": "front", "scripts": {"build": "node build.js --outDir dist"}}\n',
        "frontend/package-lock.json": '{"name": "front", "lockfileVersion": 3, "packages": {"": {"name": "front"}}}\n',
        "frontend/build.js": """
            const fs = require("fs")
            fs.mkdirSync("dist", {recursive: true})
            fs.writeFileSync("dist/index.html", "front end\\n")
        """,
    },
    "beside": {
        "common/pyproject.toml": '[project]\nname = "common"\nversion = "1"\n',
        "common/common/__init__.py": 'import os\n\nLANGUAGE = os.environ["SHOP_LANGUAGE"]\n',
        "backend/requirements.txt": "flask\n-e ../common\n",
        "backend/app.py": """
            from pathlib import Path

            from common import LANGUAGE
            from flask import Flask

            front = Path(__file__).resolve().parent.parent / "web-client" / "dist"
            app = Flask(__name__, static_folder=front, static_url_path="/")


            @app.get("/")
            def index():
                return app.send_static_file("index.html")
        """,
        "web-client/package.json": '{"name": "front", "scripts": {"build": "node build.js --outDir dist"}}\n',
        "web-client/package-lock.json": (
            '{"name": "front", "lockfileVersion": 3, "packages": {"": {"name": "front"}}}\n'
        ),
        "web-client/build.js": """
            const fs = require("fs")
            fs.mkdirSync("dist", {recursive: true})
            fs.writeFileSync("dist/index.html", "front end\\n")
        """,
        "web-client/node_modules/old/index.js": "",
    },
    "front-end-beside": {
        "requirements.txt": "fastapi\nuvicorn\n",
        "main.py": FASTAPI
        + """
    app.mount("/static", StaticFiles(directory="static"))
""".replace("app.mount", "from fastapi.staticfiles import StaticFiles\n\n    app.mount"),
        "static/logo.svg": "<svg/>\n",
        "templates/index.html": "<html></html>\n",
        "package.json": """
            {
              "engines": {"node": ">=22"},
              "scripts": {"build": "npm run css", "css": "tailwindcss -i assets/site.css -o static/css/site.css"},
              "devDependencies": {"@tailwindcss/cli": "^4"}
            }
        """,
        "assets/site.css": "@import 'tailwindcss';\n",
    },
    "front-end-alone": {
        "requirements.txt": "flask\n",
        "app.py": FLASK,
        "frontend/package.json": '{"scripts": {"build": "vite build"}, "devDependencies": {"vite": "^8"}}\n',
        "frontend/vite.config.js": "export default {}\n",
    },
    "sqlite": {
        "requirements.txt": "flask\n",
        "app.py": """
            import sqlite3

            from flask import Flask

            app = Flask(__name__)


            def connect():
                connection = sqlite3.connect("shop.db")
                connection.execute("create table if not exists visits (id integer primary key)")
                return connection


            @app.get("/")
            def index():
                with connect() as connection:
                    connection.execute("insert into visits default values")
                    return str(connection.execute("select count(*) from visits").fetchone()[0])
        """,
    },
    "flask-sqlalchemy": {
        "requirements.txt": "flask\nflask-sqlalchemy\n",
        "app.py": """
            from flask import Flask
            from flask_sqlalchemy import SQLAlchemy

            app = Flask(__name__)
            app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///shop.db"
            db = SQLAlchemy(app)
            with app.app_context():
                db.create_all()
        """,
    },
    "uploads": {
        "requirements.txt": "flask\n",
        "app.py": """
            import os

            from flask import Flask, request

            app = Flask(__name__)
            app.config["UPLOAD_FOLDER"] = "uploads"
            os.makedirs(app.config["UPLOAD_FOLDER"], exist_ok=True)


            @app.post("/")
            def upload():
                file = request.files["file"]
                file.save(os.path.join(app.config["UPLOAD_FOLDER"], "file"))
                return "saved"


            @app.get("/files")
            def files():
                return os.listdir("uploads")
        """,
    },
    "data-file": {
        "requirements.txt": "flask\n",
        "app.py": """
            import json

            from flask import Flask

            app = Flask(__name__)


            @app.get("/")
            def count():
                with open("visits.json") as file:
                    visits = json.load(file) + 1
                with open("visits.json", "w") as file:
                    json.dump(visits, file)
                return str(visits)
        """,
        "visits.json": "41",
    },
    "postgresql": {
        "requirements.txt": "fastapi\nuvicorn\nsqlalchemy\npsycopg2\nalembic\n",
        "main.py": """
            import os

            from fastapi import FastAPI
            from sqlalchemy import create_engine, text

            engine = create_engine(os.environ["DATABASE_URL"])
            app = FastAPI()


            @app.get("/health")
            def health() -> int:
                with engine.connect() as connection:
                    return connection.execute(text("select count(*) from items")).scalar()
        """,
        "alembic.ini": "[alembic]\nscript_location = migrations\n",
        "migrations/env.py": """
            import os

            from alembic import context
            from sqlalchemy import create_engine

            with create_engine(os.environ["DATABASE_URL"]).connect() as connection:
                context.configure(connection=connection)
                with context.begin_transaction():
                    context.run_migrations()
        """,
        "migrations/versions/0001.py": MIGRATION,
    },
    "mariadb": {
        "requirements.txt": "flask\nflask-sqlalchemy\nflask-migrate\npymysql\n",
        "app.py": """
            import os

            from flask import Flask
            from flask_migrate import Migrate
            from flask_sqlalchemy import SQLAlchemy

            app = Flask(__name__)
            app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
            db = SQLAlchemy(app)
            Migrate(app, db)


            @app.get("/health")
            def health():
                return str(db.session.execute(db.text("select 1")).scalar())
        """,
        "migrations/alembic.ini": "[alembic]\n",
        "migrations/env.py": """
            from alembic import context
            from flask import current_app

            with current_app.extensions["migrate"].db.engine.connect() as connection:
                context.configure(connection=connection)
                with context.begin_transaction():
                    context.run_migrations()
        """,
        "migrations/versions/0001.py": MIGRATION,
    },
    "mongodb": {
        "requirements.txt": "fastapi\nuvicorn\npymongo\n",
        "main.py": """
            import os

            from fastapi import FastAPI
            from pymongo import MongoClient

            app = FastAPI()
            database = MongoClient(os.environ["MONGODB_URL"]).shop


            @app.get("/health")
            def health() -> int:
                return database.items.count_documents({})
        """,
    },
    "rabbitmq": {
        "requirements.txt": "flask\ncelery\n",
        "app.py": """
            import os

            from celery import Celery
            from flask import Flask

            app = Flask(__name__)
            celery = Celery(app.name, broker=os.environ.get("BROKER_URL", "amqp://localhost"), backend="rpc://")
            celery.conf.beat_schedule = {"minute": {"task": "app.add", "schedule": 60, "args": (1, 2)}}


            @celery.task
            def add(a, b):
                return a + b


            @app.get("/add")
            def start():
                return str(add.delay(1, 2).get(timeout=20))
        """,
    },
    "hypercorn": {"requirements.txt": "fastapi\nhypercorn\n", "main.py": FASTAPI},
    "granian": {"requirements.txt": "fastapi\ngranian\n", "main.py": FASTAPI},
    "uwsgi": {
        "requirements.txt": "flask\nuwsgi\n",
        "app.py": FLASK,
        "uwsgi.ini": "[uwsgi]\nmodule = app:app\nhttp = :8000\nprocesses = 2\n",
    },
    "own-options": {
        "requirements.txt": "flask\ngunicorn\n",
        "app.py": FLASK,
        "Procfile": "web: gunicorn --max-requests=500 app:app\n",
    },
    "own-library": {
        "requirements.txt": "flask\n./library\n",
        "app.py": FLASK.replace("from flask", "import library\n    from flask"),
        "library/pyproject.toml": '[project]\nname = "library"\nversion = "1"\n',
        "library/library/__init__.py": "",
    },
    "numpy": {"requirements.txt": "fastapi\nnumpy\n", "main.py": "import numpy\n" + textwrap.dedent(FASTAPI)},
    "other-port": {"requirements.txt": "flask\n", "app.py": FLASK, "Procfile": "web: gunicorn -b :8080 app:app\n"},
    "gunicorn-config": {
        "requirements.txt": "flask\ngunicorn\n",
        "app.py": FLASK,
        "gunicorn.conf.py": 'bind = "127.0.0.1:9000"\nthreads = 4\n',
    },
    "monorepo": {
        "README.md": "# Shop\n",
        "frontend/package.json": "{}",
        "backend/requirements.txt": "fastapi\nuvicorn\n",
        "backend/app/__init__.py": "",
        "backend/app/main.py": "from app import things\n" + textwrap.dedent(FASTAPI),
        "backend/app/things.py": "",
    },
    "two-applications": {
        "requirements.txt": "flask\n",
        "shop/app.py": FLASK,
        "admin/app.py": FLASK,
    },
    "mounted": {
        "requirements.txt": "fastapi\nuvicorn\n",
        "main.py": """
            from fastapi import FastAPI

            api = FastAPI()
            app = FastAPI()
            app.mount("/api", api)
        """,
    },
    "subclass": {
        "requirements.txt": "fastapi\nuvicorn\n",
        "core.py": "import fastapi as f\n\n\nclass Service(f.FastAPI):\n    pass\n",
        "server.py": "from core import Service\n\nservice: Service = Service()\n",
    },
    "settings": {
        "requirements.txt": "fastapi\nuvicorn\npydantic-settings\n",
        "main.py": """
            import os

            from fastapi import FastAPI
            from pydantic_settings import BaseSettings


            class Settings(BaseSettings):
                secret_key: str
                token_minutes: int
                debug: bool = False


            settings = Settings()
            app = FastAPI(debug=settings.debug)
            sender = os.environ["MAIL_SENDER"]
            region = os.getenv("REGION", "eu")
        """,
    },
    "committed-secrets": {
        "requirements.txt": "flask\n",
        "app.py": FLASK,
        ".env": "API_KEY=never-in-an-image\n",
        "certificates/server.key": "never-in-an-image\n",
        ".env.example": "API_KEY=\n",
    },
    "fails-at-import": {
        "requirements.txt": "flask\n",
        "app.py": FLASK.replace("app = Flask", 'raise RuntimeError("the model is missing")\n    app = Flask'),
    },
    "undeclared": {"requirements.txt": "flask\n", "app.py": "import yaml\n" + textwrap.dedent(FLASK)},
    "nothing": {"tool.py": 'print("hello")\n'},
    "django": {
        "requirements.txt": "django\n",
        "manage.py": "import django\n",
        "site/settings.py": "from django.conf import settings\n",
    },
}


def write_application(name: str, directory: Path) -> Path:
    """Write the files of a shape into a new directory of this name, and return it."""
    root = directory / name
    for file, content in SHAPES[name].items():
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(content).lstrip("\n"), encoding="utf-8")
    return root
