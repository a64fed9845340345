"""Sample data for development: `python -m app.products.samples`, which compose.yaml runs after the migrations."""

from sqlalchemy import select

from app.database import db
from app.main import create_app
from app.products.models import Product

SAMPLES = [
    {"name": "Notebook", "description": "Dotted, 160 pages", "price_cents": 1250, "stock": 40},
    {"name": "Fountain pen", "description": "Medium nib", "price_cents": 3400, "stock": 12},
    {"name": "Ink", "description": "Blue-black, 50 ml", "price_cents": 990, "stock": 25},
]


def main() -> None:
    """Add the samples, unless there are products already."""
    with create_app().app_context():
        if db.session.scalar(select(Product.id).limit(1)) is None:
            db.session.add_all(Product(**values) for values in SAMPLES)
            db.session.commit()


if __name__ == "__main__":
    main()
