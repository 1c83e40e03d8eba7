"""The data of a small tea shop: products, orders and returns, in a SQLite file."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

RETURN_DAYS = 30

_SCHEMA = """
create table products (name text primary key, price_eur real not null, in_stock integer not null);
create table orders (
    number text primary key, product text not null references products, status text not null,
    carrier text not null, expected_on text not null, delivered_on text
);
create table returns (
    number integer primary key autoincrement, order_number text not null unique references orders, reason text not null
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something the shop sells.

    Attributes:
        name: Its name.
        price_eur: Price in euros.
        in_stock: How many there are.
    """

    name: str
    price_eur: float
    in_stock: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order.

    Attributes:
        number: Its number.
        product: Name of what was ordered.
        status: `shipped` or `delivered`.
        carrier: Who brings it.
        expected_on: Day on which it arrives or arrived.
        delivered_on: Day on which it arrived, or None.
    """

    number: str
    product: str
    status: str
    carrier: str
    expected_on: date
    delivered_on: date | None

    @property
    def return_until(self) -> date | None:
        """Last day on which it can be sent back, or None while it is on its way."""
        return self.delivered_on + timedelta(days=RETURN_DAYS) if self.delivered_on else None


class Shop:
    """The shop's data. Calls block for the time of a query and may come from any thread.

    Args:
        file: The SQLite file; made, with some orders, if it isn't there.
        today: The day it is in the shop.
    """

    def __init__(self, file: Path, today: date | None = None) -> None:
        self._file = file
        self._today = today or date.today()
        if not file.exists():
            self._fill()

    def product(self, name: str) -> Product | None:
        """Return the product whose name contains `name`, in any case."""
        with self._connection() as connection:
            row = connection.execute(
                "select name, price_eur, in_stock from products where instr(lower(name), lower(?)) order by name",
                (name.strip(),),
            ).fetchone()
        return Product(name=row[0], price_eur=row[1], in_stock=row[2]) if row else None

    def order(self, number: str) -> Order | None:
        """Return an order by its number."""
        with self._connection() as connection:
            row = connection.execute(
                "select number, product, status, carrier, expected_on, delivered_on from orders where number = ?",
                (number.strip(),),
            ).fetchone()
        if row is None:
            return None
        return Order(
            number=row[0],
            product=row[1],
            status=row[2],
            carrier=row[3],
            expected_on=date.fromisoformat(row[4]),
            delivered_on=date.fromisoformat(row[5]) if row[5] else None,
        )

    def can_be_returned(self, order: Order) -> bool:
        """Tell whether an order may be sent back today."""
        return order.return_until is not None and self._today <= order.return_until

    def book_return(self, order: Order, reason: str) -> int:
        """Book a return, once for each order, and return its number."""
        with self._connection() as connection:
            connection.execute(
                "insert into returns (order_number, reason) values (?, ?) on conflict (order_number) do nothing",
                (order.number, reason),
            )
        number = self.return_of(order.number)
        assert number is not None
        return number

    def return_of(self, order_number: str) -> int | None:
        """Return the number of the return that was booked for an order, if there is one."""
        with self._connection() as connection:
            row = connection.execute("select number from returns where order_number = ?", (order_number,)).fetchone()
        return row[0] if row else None

    @contextmanager
    def _connection(self) -> Generator[sqlite3.Connection]:
        connection = sqlite3.connect(self._file)
        try:
            with connection:
                yield connection
        finally:
            connection.close()

    def _fill(self) -> None:
        def day(days: int) -> str:
            return (self._today + timedelta(days=days)).isoformat()

        with self._connection() as connection:
            connection.executescript(_SCHEMA)
            connection.executemany(
                "insert into products values (?, ?, ?)",
                [("Blue teapot", 24.9, 3), ("Copper kettle", 59.0, 0), ("Bamboo tray", 18.5, 12)],
            )
            connection.executemany(
                "insert into orders values (?, ?, ?, ?, ?, ?)",
                [
                    ("1001", "Bamboo tray", "shipped", "Parcel Post", day(2), None),
                    ("1002", "Copper kettle", "delivered", "Parcel Post", day(-5), day(-5)),
                    ("1003", "Blue teapot", "delivered", "Parcel Post", day(-61), day(-60)),
                ],
            )
