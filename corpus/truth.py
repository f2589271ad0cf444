"""Builds the heaps of scenarios, says what the interpreter sees of them, and stands still to be read.

    truth.py RECORDS FOLDER [--freeze] SCENARIO...

Once the scenarios are imported, the process is copied by a plain C `fork`: no hook of Python runs, so parent and
child are the same to the bit. The parent only waits; the child measures. So nothing that measuring makes is in
the memory that is read, and no type has to be left out of the comparison.

The child writes one row of 64-bit words for every object that `gc.get_objects()` and a closure over
`gc.get_referents()` find: address, address of its type, `sys.getsizeof`, number of referents, their addresses.
Then it prints one line of JSON. What `sys._debugmallocstats()` says goes to the standard error output.
"""

import _socket as socket
import array
import ctypes
import gc
import importlib
import json
import os
import signal
import sys
import types

# With the interpreter's lock held, and without the hooks that `os.fork` runs.
fork = ctypes.PyDLL(None).fork


def measure(objects, frozen, records):
    """Follows what the collector sees from `objects`, and writes a row for everything met."""
    tracked = len(objects)
    seeds = []
    capsule = type(socket.CAPI)
    rows = array.array("Q")
    seen = set(map(id, objects))
    for thing in objects:  # which grows
        # Before its referents are held: `BytesIO.__sizeof__` counts what nobody else holds.
        try:
            size = sys.getsizeof(thing)
        except Exception:  # an object whose own __sizeof__ fails
            size = 0
        referents = gc.get_referents(thing)
        rows.extend((id(thing), id(type(thing)), size, len(referents)))
        rows.extend(map(id, referents))
        # What a C module's or a capsule's own traverse function visits only its code knows.
        if isinstance(thing, (types.ModuleType, capsule)):
            seeds.extend(map(id, referents))
        for other in referents:
            if id(other) not in seen:
                seen.add(id(other))
                objects.append(other)
    with open(records, "wb") as file:
        rows.tofile(file)
    kinds = {id(kind): kind for kind in map(type, objects)}
    layouts = {
        f"{address}": [
            type.__dict__["__basicsize__"].__get__(kind),
            type.__dict__["__itemsize__"].__get__(kind),
        ]
        for address, kind in kinds.items()
    }
    said = {
        "tracked": tracked,
        "frozen": frozen,
        "seeds": seeds,
        "layouts": layouts,
    }
    os.write(1, json.dumps(said).encode() + b"\n")


def main(records, folder, names):
    sys.dont_write_bytecode = True
    sys.path.append(folder)
    freeze = "--freeze" in names
    for name in names:
        if not name.startswith("--"):
            importlib.import_module(name)
    # What the first call makes is there before the copy is.
    fork.restype = ctypes.c_int
    json.dumps({"a": [1, "b"]})
    gc.get_freeze_count()
    gc.disable()
    # The cache of attribute look-ups holds names that die as the child's own look-ups replace them.
    if hasattr(sys, "_clear_type_cache"):
        sys._clear_type_cache()
    if freeze:
        gc.freeze()
    if fork() == 0:
        sys._debugmallocstats()
        measure(gc.get_objects(), gc.get_freeze_count(), records)
        os._exit(0)
    while True:
        signal.pause()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
