"""C modules with state of their own, and the types they make."""

import _csv
import ctypes
import hashlib
import io
import json
import pickle
import select
import sqlite3
import ssl
import xml.etree.ElementTree as trees
import zlib


class Pair(ctypes.Structure):
    _fields_ = [("left", ctypes.c_int), ("right", ctypes.c_double)]


class Either(ctypes.Union):
    _fields_ = [("number", ctypes.c_long), ("text", ctypes.c_char * 8)]


class Chained(ctypes.Structure):
    pass


Chained._fields_ = [("next", ctypes.POINTER(Chained)), ("pair", Pair)]
pair = Pair(1, 2.0)
either = Either(3)
chained = Chained()
chained.next = ctypes.pointer(Chained())
values = (ctypes.c_int * 100)(*range(100))
large = (ctypes.c_double * 1000)()
view = (ctypes.c_int * 50).from_buffer(values)
texts = (ctypes.c_char_p * 2)(b"one", b"two")
pointer = ctypes.pointer(pair)
buffer = ctypes.create_string_buffer(500)
callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda n: n)
reference = ctypes.byref(pair)
library = ctypes.CDLL(None)
function = library.strlen
function.argtypes = [ctypes.c_char_p]
function.restype = ctypes.c_size_t
digest = hashlib.sha256(b"data")
compressor = zlib.compressobj()
decompressor = zlib.decompressobj(zdict=b"dictionary" * 50)
decompressor.decompress(zlib.compress(b"0123456789" * 100000, 0), 10)
finished = zlib.decompressobj()
finished.decompress(zlib.compress(b"data") + b"more" * 1000)
poll = select.epoll()
old_poll = select.poll()
old_poll.register(0)
connection = sqlite3.connect(":memory:")
connection.execute("create table t (a, b)")
cursor = connection.execute("select * from t")
context = ssl.create_default_context()
tree = trees.fromstring("<a x='1'><b>text</b><c/><d/><e/><f/><g/></a>")
pickler = pickle.Pickler(io.BytesIO())
pickler.dump([1, 2, [3]])
unpickler = pickle.Unpickler(io.BytesIO(pickle.dumps([1, 2])))
unpickler.load()
encoder = json.JSONEncoder()
encoded = encoder.encode({"a": [1]})
decoder = json.JSONDecoder()
rows = _csv.reader(["a,b", "c,d"])
next(rows)
writer = _csv.writer(io.StringIO())
