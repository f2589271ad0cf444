"""A stream that runs: steps of ours in Rust as long as nothing of Python comes between, then the others."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from deadweight._core import JsonCounts, JsonIterator, JsonQuery, LineIterator
from deadweight._stream_csv import CsvReader
from deadweight._stream_steps import Batched, Errors, Filter, Map, ParseCsv, ParseJson, Select, Step, Where

if TYPE_CHECKING:
    from deadweight._csv import CsvScan

Reader: TypeAlias = "LineIterator | JsonIterator | CsvReader"
_Place: TypeAlias = "tuple[str, int | None, int | None, bytes]"


@dataclass(slots=True)
class StepCount:
    """How many records came to a step, and how many went on."""

    step: str
    taken: int = 0
    given: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True)
class BadLine:
    """A record that a step could not take."""

    source: str
    line: int | None
    """From 1; ``None`` in a part that begins within a file."""
    offset: int | None
    """Its first byte, in a compressed file that of what is in it; ``None`` if a callable could not take what was
    read of CSV."""
    step: str
    reason: str
    sample: bytes
    """How its line begins."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where records come from."""

    text: str
    lines: Callable[[], LineIterator]
    json: Callable[[JsonQuery, int | None], JsonIterator] | None
    """``None`` where lines are to be decoded first."""
    csv: Callable[[ParseCsv], Iterator[CsvScan]]

    def begin(self, steps: tuple[Step, ...]) -> tuple[Reader, JsonCounts | CsvReader | None, int]:
        """Who reads, who counts what comes of it, and how many of the steps he does."""
        if self.json and steps and isinstance(parse := steps[0], ParseJson):
            compiled = 1 + len(list(_leading([(step, None) for step in steps[1:]])))
            reader = self.json(query(steps[:compiled]), parse.errors.kept)
            return reader, reader.counts(), compiled
        if steps and isinstance(parse := steps[0], ParseCsv):
            rows = CsvReader(self.csv(parse), parse, steps[1:])
            return rows, rows, 1
        return self.lines(), None, 0


class Run:
    """One iteration: how far it is, and what each step passed."""

    def __init__(
        self, steps: tuple[Step, ...], reader: Reader, counted: JsonCounts | CsvReader | None, compiled: int
    ) -> None:
        # What is open is the iterator's: when that is left, it is closed.
        self._reader, self._counted = weakref.ref(reader), counted
        self._counts = [StepCount(str(step)) for step in steps]
        self._compiled, self._rest = self._counts[:compiled], steps[compiled:]
        self._bad: list[BadLine] = []
        self._batch: _Place | None = None

    def items(self, reader: Reader) -> Iterator[Any]:
        """What comes out of the last step."""
        items: Iterator[Any] = iter(reader)
        steps = list(zip(self._rest, self._counts[len(self._compiled) :], strict=True))
        while steps:
            step, count = steps.pop(0)
            if isinstance(step, ParseJson):
                ours = list(_leading(steps))
                del steps[: len(ours)]
                items = self._parse(step, count, ours, items)
            else:
                items = self._step(step, count, items)
        return items

    # Steps of Python

    def _step(self, step: Step, count: StepCount, items: Iterator[Any]) -> Iterator[Any]:
        if isinstance(step, Map):
            return self._map(step, count, items)
        if isinstance(step, Filter):
            return self._filter(step.function, step.errors, count, items)
        if isinstance(step, Where):
            return self._filter(step.meets, _RAISE, count, items)
        if isinstance(step, Select):
            return self._map(Map(step.of, _RAISE), count, items)
        assert isinstance(step, Batched)
        return self._batched(step.size, count, items)

    def _map(self, step: Map, count: StepCount, items: Iterator[Any]) -> Iterator[Any]:
        function = step.function
        for item in items:
            count.taken += 1
            try:
                value = function(item)
            except Exception as error:
                if self._raises(error, step.errors, count):
                    raise
                continue
            count.given += 1
            yield value

    def _filter(
        self, function: Callable[[Any], object], errors: Errors, count: StepCount, items: Iterator[Any]
    ) -> Iterator[Any]:
        for item in items:
            count.taken += 1
            try:
                meets = bool(function(item))
            except Exception as error:
                if self._raises(error, errors, count):
                    raise
                continue
            if meets:
                count.given += 1
                yield item

    def _parse(
        self,
        parse: ParseJson,
        count: StepCount,
        ours: list[tuple[Where | Select, StepCount]],
        items: Iterator[Any],
    ) -> Iterator[Any]:
        asked = query((parse, *(step for step, _ in ours)))
        wheres = [count for step, count in ours if isinstance(step, Where)]
        selects = [count for step, count in ours if isinstance(step, Select)]
        for item in items:
            try:
                found = asked.of(item)
            except Exception as error:
                count.taken += 1
                if self._raises(error, parse.errors, count):
                    raise
                continue
            if found is None:
                continue
            count.taken += 1
            count.given += 1
            met, value = found
            for where in wheres[: met + 1]:
                where.taken += 1
            for where in wheres[:met]:
                where.given += 1
            if met < len(wheres):
                continue
            for select in selects:
                select.taken += 1
                select.given += 1
            yield value

    def _batched(self, size: int, count: StepCount, items: Iterator[Any]) -> Iterator[tuple[Any, ...]]:
        for item in items:
            place = self._place()
            batch = (item, *islice(items, size - 1))
            count.taken += len(batch)
            count.given += 1
            # The reader is behind its last line now, or behind the source.
            self._batch = place
            yield batch
            self._batch = None

    def _place(self) -> _Place | None:
        """Where the record is that is in the hands of a step; of a batch, where it begins."""
        reader = self._reader()
        return self._batch or (None if reader is None else reader.place())

    def _raises(self, error: Exception, errors: Errors, count: StepCount) -> bool:
        """Whether it is to be raised, and then says where; if not, counts it and keeps it."""
        count.errors += 1
        source, line, offset, sample = self._place() or ("", None, None, b"")
        if errors.kept is None:
            place = f"{', ' if line is None else f', line {line}, '}byte {offset}" if offset is not None else ""
            # From 3.11 on.
            add_note = getattr(error, "add_note", str)
            add_note(f"in {count.step}, at {source}{place}")
            return True
        if count.errors <= errors.kept:
            reason = f"{type(error).__name__}: {error}"
            self._bad.append(BadLine(source, line, offset, count.step, reason, sample))
        return False

    # What comes of it

    def counts(self) -> list[StepCount]:
        """What each step has passed so far."""
        if self._counted:
            taken, errors, met = self._counted.tally()
            parse, *others = self._compiled
            parse.taken, parse.given, parse.errors = taken, taken - errors, errors
            # A selection gives all that comes to it.
            passed = [parse.given, *met, *met[-1:], parse.given]
            for place, count in enumerate(others):
                count.taken, count.given = passed[place], passed[place + 1]
        return [StepCount(count.step, count.taken, count.given, count.errors) for count in self._counts]

    def bad(self) -> tuple[BadLine, ...]:
        """The records that were collected so far."""
        ours: list[BadLine] = []
        if self._counted:
            step = self._compiled[0].step
            ours = [BadLine(*place[:3], step, reason, place[3]) for place, reason in self._counted.bad()]
        return (*ours, *self._bad)


_RAISE = Errors("raise", 0)


def _leading(steps: list[tuple[Step, Any]]) -> Iterator[tuple[Where | Select, Any]]:
    """The conditions after a parse, and the selection that ends them."""
    for step, count in steps:
        if not isinstance(step, Where | Select):
            return
        yield step, count
        if isinstance(step, Select):
            return


def query(steps: tuple[Step, ...]) -> JsonQuery:
    """Steps as Rust has them."""
    conditions = [
        [(list(path), list(values)) for path, values in step.conditions]
        for step in steps
        if isinstance(step, Where)
    ]
    selected = [[list(path) for path in step.paths] for step in steps if isinstance(step, Select)]
    return JsonQuery(conditions, selected[0] if selected else None)
