"""What many objects of one kind take, as tracemalloc has it."""

import gc
import tracemalloc

COUNT = 1000


def recorded(make):
    """Many objects, and the bytes of the blocks that making them left behind.

    The second thousand is measured: by then free lists and shared keys have taken what they take.
    """
    things = [None] * (2 * COUNT)
    marks = [0, 0]
    # Made before: an int of the loop, freed, could become one of ours with the size it was made with.
    lots = [list(range(COUNT)), list(range(COUNT, 2 * COUNT))]
    gc.collect()
    gc.disable()
    try:
        tracemalloc.start()
        for part, lot in enumerate(lots):
            for index in lot:
                things[index] = make()
            marks[part] = tracemalloc.get_traced_memory()[0]
        return things[COUNT:], marks[1] - marks[0]
    finally:
        tracemalloc.stop()
        gc.enable()
