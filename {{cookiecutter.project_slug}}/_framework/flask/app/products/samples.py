"""Sample data for development: `python -m app.products.samples`, which compose.yaml runs after the migrations."""

from decimal import Decimal

from sqlalchemy import select

from app.database import db
from app.main import create_app
from app.products.models import Product

SAMPLES = [
    {"name": "Notebook", "description": "Dotted, 160 pages", "price": Decimal("12.50"), "stock": 40},
    {"name": "Fountain pen", "description": "Medium nib", "price": Decimal("34.00"), "stock": 12},
    {"name": "Ink", "description": "Blue-black, 50 ml", "price": Decimal("9.90"), "stock": 25},
]


def main() -> None:
    """Add the samples, unless there are products already."""
    with create_app().app_context():
        if db.session.scalar(select(Product.id).limit(1)) is None:
            db.session.add_all(Product(**values) for values in SAMPLES)
            db.session.commit()


if __name__ == "__main__":
    main()
