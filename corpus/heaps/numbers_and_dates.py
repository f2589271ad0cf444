"""Numbers of every size, decimals, fractions, dates with and without zones."""

import datetime
import decimal
import fractions
import random
import re
import struct


class Sub(int):
    pass


class SubFloat(float):
    pass


small = [0, 1, -5, 256, 257, 1025]
big = [10**n for n in range(0, 300, 20)] + [-(10**50)]
sub = Sub(10**20)
sub.note = [1]
floats = [n / 7 for n in range(20)]
sub_float = SubFloat(1.5)
sub_float.note = [2]
complexes = [complex(n, 1) for n in range(5)]
bools = [True, False]
decimals = [decimal.Decimal(10) ** n / 7 for n in range(0, 200, 40)]
precise = decimal.Context(prec=500).divide(decimal.Decimal(1), decimal.Decimal(7))
context = decimal.getcontext()
fraction = fractions.Fraction(10**30, 7)
dates = [datetime.date(2020, 1, n) for n in range(1, 10)]
moments = [datetime.datetime(2020, 1, n, 12) for n in range(1, 10)]
zone = datetime.timezone(datetime.timedelta(hours=2), "here")
zoned = [datetime.datetime(2020, 1, n, tzinfo=zone) for n in range(1, 10)]
times = [datetime.time(1, 2), datetime.time(1, 2, tzinfo=zone)]
delta = datetime.timedelta(days=3)
generator = random.Random(7)
pattern = re.compile(r"(?P<word>\w+)\s+(\d+)|[a-z]{3,}")
match = pattern.match("hello 42")
scanner = pattern.scanner("hello 42")
found = pattern.finditer("a 1 b 2")
next(found)
packed = struct.Struct("<IHbq10s")
unpacking = struct.iter_unpack("<I", bytes(16))
