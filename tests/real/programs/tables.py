"""A program of tables: it keeps a report a day, and arrays of every kind."""

import array
import io
import time

import numpy as np
import pandas as pd
import witness


class Report:
    def __init__(self, day: int) -> None:
        self.day = day
        self.sales = pd.DataFrame({"item": [f"item {n}" for n in range(200)], "sold": np.arange(200.0) + day})
        self.by_item = self.sales.groupby("item")["sold"].sum()


class Item:
    pass


class Sold:
    pass


history: list[Report] = []
image = np.zeros((1000, 1000))
window = image[10:20]
rows = np.array([{"row": number} for number in range(1000)], dtype=object)
every_other = rows[::2]
masked = np.ma.masked_array(np.arange(5000.0), mask=np.arange(5000) % 3 == 0)
records = np.zeros(1000, dtype=[("id", "i4"), ("price", "f8")])
ORDER = [("id", "i4"), ("item", "O"), ("in", [("n", "u1"), ("first", "O")]), ("two", "O", (2,))]
orders = np.zeros(100, dtype=ORDER)
for order in orders:
    order["item"], order["in"]["first"], order["two"] = Item(), Item(), [Item(), Item()]
del order
sold = []
for order in orders[:50].copy():
    order["item"] = Sold()
    sold.append(order.copy())
    order["item"] = None
del order
blob = np.void(bytes(2_000_000))
frame = pd.DataFrame(np.zeros((100_000, 8)))
raw = bytearray(3_000_000)
over_raw = np.frombuffer(raw, dtype="u1")
numbers = array.array("d", [0.0] * 250_000)
view = memoryview(numbers)
stream = io.BytesIO(bytes(1_000_000))

if __name__ == "__main__":
    for day in range(300):
        history.append(Report(day))
    print("ready", flush=True)
    witness.start()
    time.sleep(3600)
