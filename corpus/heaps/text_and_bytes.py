"""`str` of every kind, interned and not, with UTF-8 cached; bytes, buffers and views of them."""

import io
import mmap
import sys

ascii_text = [str(n) * 10 for n in range(10, 30)]
latin = ["é" * n for n in range(1, 40, 7)]
wide = ["β" * n for n in range(1, 40, 7)]
widest = ["𝄞" * n for n in range(1, 40, 7)]
interned = [sys.intern("interned by hand %d" % n) for n in range(10)]
cached = "zażółć gęślą " * 20
cached_too = cached.encode() and cached
import ctypes

ctypes.pythonapi.PyUnicode_AsUTF8(ctypes.py_object(cached))


class Text(str):
    pass


class Raw(bytes):
    pass


sub = Text("text with attributes" * 3)
sub.note = [1]
raw = Raw(b"raw with attributes")
raw.note = [2]
some_bytes = [bytes(n) for n in (0, 1, 2, 100, 600, 5000)]
array = bytearray(b"x" * 1000)
grown = bytearray()
for n in range(300):
    grown += b"y" * 7
front_cut = bytearray(b"z" * 1000)
del front_cut[:300]
view = memoryview(array)
part = view[100:200]
cast = memoryview(bytes(64)).cast("I", (4, 4))
released = memoryview(b"gone")
released.release()
writer = io.BytesIO()
writer.write(b"w" * 10_000)
reader = io.BytesIO(some_bytes[-1])
reader_view = writer.getbuffer()
text_writer = io.StringIO()
text_writer.write("s" * 5000)
text_reader = io.StringIO("initial\nvalue")
wrapped = io.TextIOWrapper(io.BufferedWriter(io.BytesIO()), encoding="utf-8")
wrapped.write("pending text")
wrapped_reader = io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"line\n" * 100)), encoding="utf-8")
wrapped_reader.readline()
file = open(__file__, encoding="utf-8")
first_line = file.readline()
raw_file = open(__file__, "rb", buffering=0)
pair = io.BufferedRWPair(io.BytesIO(b"r"), io.BytesIO())
mapped = mmap.mmap(-1, 8192)
translation = str.maketrans("abc", "xyz")
