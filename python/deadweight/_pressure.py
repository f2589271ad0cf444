"""What a program writes about itself when memory runs out."""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import queue
import re
import signal
import sys
import threading
import time
import weakref
from collections.abc import Iterable
from types import FrameType, TracebackType
from typing import Any

from deadweight import _core
from deadweight._hooks import Hook, at_signal, at_uncaught, at_uncaught_in_thread
from deadweight._limits import Limit, parse_limit, pressure_now
from deadweight._shrinking import Shrinks, shrink_all, weakly

_RESERVE = 32 << 20
"""Bytes of addresses, never touched, that are given back before a file is written: where addresses are
limited (``ulimit -v``), there would be no room for the survey itself."""
_MOST_FILES = 10
_SECONDS = 30.0
"""A survey stops after so long: the program stands still meanwhile."""
_CALM = 0.95
"""After a file was written, the next is due when use has been below this part of the limit."""

_handles: list[Pressure] = []
"""Those that are on: a forked child's thread cannot keep its own alive."""
_fork_watched = False


class Pressure:
    """What ``on_pressure`` has set up. ``off()`` undoes it; so does leaving a ``with`` block."""

    def __init__(
        self,
        path: str,
        limit: Limit,
        psi: float | None,
        interval: float,
        number: int | None,
        uncaught: bool,
        caches: list[weakref.ref[Shrinks]],
    ) -> None:
        self._path = path
        self._limit = limit
        self._psi = psi
        self._interval = interval
        self._caches = caches
        self._on = True
        self._on_error = uncaught
        self._files: list[str] = []
        self._reserve: mmap.mmap | None = mmap.mmap(-1, _RESERVE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._writing = threading.Lock()
        self._inbox: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._hooks: list[Hook] = []
        if number is not None:
            self._hooks.append(at_signal(number, self._signalled))
        if uncaught:
            self._hooks += [at_uncaught(self._uncaught), at_uncaught_in_thread(self._uncaught_in_thread)]
        try:
            self._start()
        except BaseException:
            self._unhook()
            raise

    @property
    def files(self) -> list[str]:
        """The files written so far, oldest first."""
        return list(self._files)

    def write(self, reason: str = "asked") -> str | None:
        """Writes a file now. Gives its path; None if it could not be written, or there are enough."""
        return self._write(reason, {}, [])

    def off(self) -> None:
        """Stops watching and puts back what was there before. Files stay. May be called twice.

        From another thread than the main one the signal's handler cannot be put back: it does nothing more.
        """
        if not self._on:
            return
        self._on = False
        if self in _handles:
            _handles.remove(self)
        self._inbox.put(None)
        if self._thread is not threading.current_thread():
            self._thread.join()
        self._unhook()

    def __enter__(self) -> Pressure:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # The hooks are called when the block has been left: by then they are off.
        if self._on and self._on_error and kind is not None and error is not None:
            self._uncaught(kind, error, traceback)
        self.off()

    def __repr__(self) -> str:
        state = "on" if self._on else "off"
        return f"<deadweight.Pressure {state}: {self._limit}, {len(self._files)} files>"

    def _unhook(self) -> None:
        for hook in self._hooks:
            # Of `signal.signal`, in another thread.
            with contextlib.suppress(ValueError):
                hook.off()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._watch, name="deadweight-pressure", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        armed, failing = True, False
        while True:
            try:
                asked = self._inbox.get(timeout=self._interval)
                if asked is None:
                    return
                self._write(asked, {}, [])
                continue
            except queue.Empty:
                pass
            try:
                armed, failing = self._watch_once(armed), False
            except Exception as error:
                # Where memory runs out anything may fail, and the next look need not.
                if not failing:
                    _tell(f"deadweight: could not see how much memory is left: {type(error).__name__}: {error}")
                failing = True

    def _watch_once(self, armed: bool) -> bool:
        """Whether, the next time that the limit is reached, a file is due."""
        reason, share, facts = self._look()
        if armed and share >= 1:
            self._shrink(facts)
            self._write(reason, facts, [])
            return False
        return armed or share < _CALM

    def _shrink(self, facts: dict[str, Any]) -> None:
        """First of all: to write takes its time."""
        if self._caches:
            facts["shrunk"], failed = shrink_all(self._caches)
            for error in failed:
                _tell(f"deadweight: a cache could not be shrunk: {type(error).__name__}: {error}")

    def _look(self) -> tuple[str, float, dict[str, Any]]:
        """The reason nearest to its limit, how near (1 is reached), and what was measured."""
        share, facts = self._limit.look()
        reason = "limit"
        if self._psi is not None and (now := pressure_now()) is not None:
            facts["psi_some_avg10"] = now
            if now / self._psi > share:
                reason, share = "psi", now / self._psi
        return reason, share, facts

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        # The main thread may be anywhere: a queue of this kind bears that, a lock would not.
        self._inbox.put("signal")

    def _uncaught(self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if issubclass(kind, MemoryError):
            self._write("MemoryError", {}, [("uncaught MemoryError", error)])

    def _uncaught_in_thread(self, arguments: threading.ExceptHookArgs) -> None:
        if issubclass(arguments.exc_type, MemoryError):
            self._write("MemoryError", {}, [("uncaught MemoryError", arguments.exc_value)])

    def _write(self, reason: str, facts: dict[str, Any], objects: list[tuple[str, object]]) -> str | None:
        """Never raises: a monitor that fails must not be what ends the program."""
        if not self._writing.acquire(blocking=False):
            return None
        try:
            if len(self._files) >= _MOST_FILES:
                return None
            if self._reserve is not None:
                self._reserve.close()
                self._reserve = None
            return self._survey(reason, facts, objects)
        except Exception as error:
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            _tell(f"deadweight: could not write what holds memory to {self._path}: {why}")
            return None
        finally:
            self._writing.release()

    def _survey(self, reason: str, facts: dict[str, Any], objects: list[tuple[str, object]]) -> str:
        path, file = _new_file(self._path)
        try:
            start = {
                "kind": "start",
                "format": 1,
                "reason": reason,
                "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
                "pid": os.getpid(),
                "python": sys.version.split()[0],
                "limit": str(self._limit),
                **(facts or self._look()[2]),
            }
            os.write(file, json.dumps(start).encode() + b"\n")
            complete = _core.survey(path, objects, _SECONDS)
            os.write(file, json.dumps({"kind": "end", "complete": complete}).encode() + b"\n")
        finally:
            os.close(file)
            # Only now: who sees it here may read it, or end the program.
            self._files.append(path)
        _tell(f"deadweight: {reason}: wrote what holds memory to {path}")
        return path

    def _forked(self) -> None:
        """In a forked child the watching thread is gone, and what it held stays as it was."""
        self._writing = threading.Lock()
        self._inbox = queue.SimpleQueue()
        self._files = []
        self._start()


def _new_file(pattern: str) -> tuple[str, int]:
    """A file that was not there, readable by its owner only."""
    base, extension = os.path.splitext(pattern.replace("{pid}", str(os.getpid())))
    for number in range(1000):
        path = f"{base}.{number}{extension}" if number else base + extension
        try:
            return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            continue
    raise FileExistsError(f"{pattern}: there are a thousand such files already")


def _tell(line: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, line.encode(errors="replace") + b"\n")


def _after_fork() -> None:
    for handle in list(_handles):
        handle._forked()  # pyright: ignore[reportPrivateUsage]


def on_pressure(
    *,
    path: str | os.PathLike[str],
    limit: str | float = "90%",
    psi: float | None = None,
    interval: float = 1.0,
    signal_number: int | None = signal.SIGUSR2,
    uncaught: bool = True,
    shrink: Iterable[Shrinks] = (),
) -> Pressure:
    """Writes who holds what to a file when memory runs out, before the kernel ends the program.

    ``limit`` is a part of what there is (``"90%"`` of the control group's limit, else of the machine's
    memory), or resident bytes of this program (``"2 GB"``, or a number). ``psi`` is a percentage of time
    that some task waited for memory, over ten seconds. One daemon thread looks every ``interval`` seconds.
    A signal (SIGUSR2; None for none; only from the main thread) and a ``MemoryError`` that nobody caught, or
    that leaves the ``with`` block, have a file written too.

    Caches in ``shrink`` (:class:`Cache`, :class:`WeakCache`, the ``cache`` of a function that is
    :func:`cached`) are halved before that, each time the limit or ``psi`` is reached: by the watching thread,
    which calls their ``on_evict``. They are held weakly, and may be anything that has a method ``shrink("50%")``.

    A file is JSON, a line at a time: what was measured, then types and holders, once a second and at the
    end. What a kill leaves can be read. It takes at most 32 MB of memory; the program stands still
    meanwhile, for 30 seconds at most. ``{pid}`` in the path is the process's number; a file
    that is there already is kept, and the new one has a number. Forked children are watched too; but Python 3.12
    and later warn of a fork in a program with threads, and this has one: a server that forks its workers
    (``gunicorn --preload``) calls it in each worker, after the fork.
    """
    global _fork_watched
    pattern: str = os.path.abspath(os.fspath(path))
    folder = os.path.dirname(pattern)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"no such folder: {folder}. Make it first: there may be no memory for that later")
    if os.path.isdir(pattern):
        raise IsADirectoryError(f"{pattern} is a folder: give the path of a file in it")
    if unknown := re.search(r"\{(?!pid\})\w*\}", os.path.basename(pattern)):
        raise ValueError(f"path has {unknown[0]}: only {{pid}} is put in")
    if not 0 < interval <= threading.TIMEOUT_MAX:
        raise ValueError(f"interval must be more than 0 seconds, and no eternity, not {interval}")
    if psi is not None and not 0 < psi <= 100:
        raise ValueError(f"psi is a percentage, 0 to 100, not {psi}")
    if psi is not None and pressure_now() is None:
        raise _core.Unsupported("this kernel does not tell how long tasks wait for memory (/proc/pressure)")
    # Refuses here, in words, an interpreter that cannot be read.
    _core.sizeof(None)
    if signal_number is not None and threading.current_thread() is not threading.main_thread():
        raise ValueError("signals come to the main thread only: call it there, or with signal_number=None")
    uncatchable = signal_number in (signal.SIGKILL, signal.SIGSTOP)
    if signal_number is not None and (uncatchable or signal_number not in signal.valid_signals()):
        raise ValueError(f"no program is told of a signal {int(signal_number)}: take signal.SIGUSR1")
    caches = weakly(shrink)
    handle = Pressure(pattern, parse_limit(limit), psi, interval, signal_number, uncaught, caches)
    _handles.append(handle)
    if not _fork_watched:
        os.register_at_fork(after_in_child=_after_fork)
        _fork_watched = True
    return handle
