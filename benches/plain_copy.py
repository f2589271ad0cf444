"""Copying the private pages of a process with process_vm_readv and nothing else: the least a pause can be.

The same pages that deadweight copies (those that differ from their file), the same number of threads, the
same size of batch, into memory that was made ready before.

    python plain_copy.py PID        one line of JSON
"""

from __future__ import annotations

import array
import ctypes
import json
import mmap
import os
import resource
import sys
import threading
import time

PAGE = 4096
BATCH = 8 << 20
MAX_THREADS = 4
PRESENT, OF_FILE = 1 << 63, 1 << 61
MADV_POPULATE_WRITE = 23


class IoVec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.process_vm_readv.restype = ctypes.c_ssize_t
LIBC.process_vm_readv.argtypes = [
    ctypes.c_int,
    ctypes.POINTER(IoVec),
    ctypes.c_ulong,
    ctypes.POINTER(IoVec),
    ctypes.c_ulong,
    ctypes.c_ulong,
]
LIBC.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def own_pages(pid: int) -> list[tuple[int, int]]:
    """Start and length of every run of private pages that are no file's."""
    runs: list[tuple[int, int]] = []
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/pagemap", "rb") as pagemap:
        for line in maps:
            where, rights, *_ = line.split()
            if rights[0] != "r" or rights[3] != "p" or line.rstrip().endswith(("[vvar]", "[vsyscall]")):
                continue
            start, end = (int(part, 16) for part in where.split("-"))
            pagemap.seek(start // PAGE * 8)
            entries = array.array("Q", pagemap.read((end - start) // PAGE * 8))
            for number, entry in enumerate(entries):
                if entry & PRESENT and not entry & OF_FILE:
                    at = start + number * PAGE
                    if runs and sum(runs[-1]) == at:
                        runs[-1] = (runs[-1][0], runs[-1][1] + PAGE)
                    else:
                        runs.append((at, PAGE))
    return runs


def batches(runs: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """The runs in portions for one call."""
    done: list[list[tuple[int, int]]] = [[]]
    room = BATCH
    for start, length in runs:
        while length:
            part = min(length, room)
            done[-1].append((start, part))
            start, length, room = start + part, length - part, room - part
            if room == 0 or len(done[-1]) == 1024:
                done.append([])
                room = BATCH
    return [batch for batch in done if batch]


def plain_copy(pid: int) -> dict[str, float]:
    """Copies once: seconds, CPU seconds and bytes."""
    work = batches(own_pages(pid))
    total = sum(length for batch in work for _, length in batch)
    with mmap.mmap(-1, total, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as destination:
        destination.madvise(mmap.MADV_HUGEPAGE)
        anchor = ctypes.c_char.from_buffer(destination)
        base = ctypes.addressof(anchor)
        if LIBC.madvise(base, total, MADV_POPULATE_WRITE) != 0:
            ctypes.memset(base, 1, total)
        calls = []
        at = base
        for batch in work:
            length = sum(length for _, length in batch)
            calls.append((IoVec(at, length), (IoVec * len(batch))(*(IoVec(*run) for run in batch)), length))
            at += length
        result = timed(pid, calls, total)
        del anchor
    return result


def timed(pid: int, calls: list, total: int) -> dict[str, float]:
    """Makes the calls, by several threads."""
    queue = iter(calls)
    lock = threading.Lock()
    short: list[str] = []

    def work() -> None:
        while True:
            with lock:
                call = next(queue, None)
            if call is None:
                return
            into, remote, length = call
            copied = LIBC.process_vm_readv(pid, ctypes.byref(into), 1, remote, len(remote), 0)
            if copied != length:
                short.append(f"{copied} of {length} bytes, {os.strerror(ctypes.get_errno())}")

    used, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    threads = min(len(os.sched_getaffinity(0)), MAX_THREADS, len(calls))
    others = [threading.Thread(target=work) for _ in range(1, threads)]
    for other in others:
        other.start()
    work()
    for other in others:
        other.join()
    wall, now = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    if short:
        raise OSError(f"process_vm_readv of {pid} came short: {short[0]}")
    cpu = now.ru_utime - used.ru_utime + now.ru_stime - used.ru_stime
    return {"wall": wall, "cpu": cpu, "bytes": total}


if __name__ == "__main__":
    print(json.dumps(plain_copy(int(sys.argv[1]))))
