"""Exceptions with tracebacks, causes, notes and attributes; groups where there are any."""

import sys


class Refused(Exception):
    def __init__(self, request):
        super().__init__("refused", request)
        self.request = request


def fail(payload):
    local_payload = [payload]
    raise Refused(local_payload)


def chain():
    try:
        fail("inner")
    except Refused as error:
        raise ValueError("outer") from error


def catch(function, *args):
    try:
        function(*args)
    except BaseException as error:
        return error


caught = catch(fail, "payload")
chained = catch(chain)
bare = ValueError([1], "never raised")
attributes = [
    catch(open, "/no/such/file"),
    catch(__import__, "no_such_module"),
    catch(getattr, [1], "nothing"),
    catch("é".encode, "ascii"),
    catch(b"\xff".decode, "utf-8"),
    catch(compile, "a b", "file.py", "exec"),
    catch(eval, "undefined_name"),
    catch(sys.exit, [3]),
    catch(next, iter([])),
    catch({}.__getitem__, ("key",)),
    StopIteration([4]),
    UnicodeTranslateError("text", 0, 1, "reason"),
]
if hasattr(bare, "add_note"):
    bare.add_note("a note")
    group = eval("ExceptionGroup('both', [ValueError([1]), TypeError([2])])")
    split = group.split(ValueError)
