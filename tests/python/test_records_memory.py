"""Without memory left there is a MemoryError, and the container is as it was."""

import subprocess
import sys
from textwrap import dedent

ROWS = 1_000_000

PROGRAM = dedent(
    """
    import copy, pickle, resource, sys
    import deadweight as dw

    class User(dw.Record):
        id: dw.u8
        name: str
        kind: dw.category
        flag: bool
        maybe: dw.u4 | None

    def row(number):
        return number, f"user {number:010}", "abc"[number % 3], number % 2 == 0, None if number % 3 else number

    rows, path = int(sys.argv[1]), sys.argv[2]
    users = dw.Records(User, map(row, range(rows)))
    users.shrink_to_fit()
    pickled = pickle.dumps(users)
    users.save(path)
    mapped = dw.Records.open(path, User)

    def shows(users):
        return len(users), [users[at]._astuple() for at in (0, rows // 2, rows // 3, rows - 1)]

    whole = shows(users)
    # Numbers are changed in place: of the other columns each needs more than there is.
    limited = {
        "slice": lambda users: users[1:],
        "stride": lambda users: users[::2],
        "backwards": lambda users: users[::-1],
        "copy": copy.copy,
        "mask": lambda users: users[users.flag],
        "reverse": lambda users: users.reverse(),
        "delete some": lambda users: users.__delitem__(slice(None, None, 2)),
        "extend": lambda users: users.extend(users),
        "assign": lambda users: users.__setitem__(slice(0, 10), users),
        "assign some": lambda users: users.__setitem__(slice(None, None, -1), users),
        "reserve": lambda users: users.reserve(10 * rows),
        "dump": pickle.dumps,
        "load": lambda users: pickle.loads(bytearray(pickled)),
        "list": lambda users: users.name.tolist(),
        "long text": lambda users: setattr(users[0], "name", long),
        "widen": lambda users: users.extend((0, "", str(at), True, None) for at in range(rows)),
    }
    long = "x" * (64 << 20)
    with open("/proc/self/status") as status:
        size = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmSize:"))
    resource.setrlimit(resource.RLIMIT_AS, (size + (3 << 20), resource.RLIM_INFINITY))
    for name, change in limited.items():
        for kept in (users, mapped):
            try:
                change(kept)
            except MemoryError:
                pass
            else:
                print("done:", name)
            if name == "widen":
                # The rows before stay.
                del kept[rows:]
            assert shows(kept) == whole, (name, shows(kept))
    try:
        mapped.append(row(1))
    except MemoryError:
        assert shows(mapped) == whole
        print("mapped")
    # In place.
    users.insert(0, row(7))
    assert users.pop(0)._astuple() == row(7)
    users[1:2] = []
    users.insert(1, row(1))
    users.save(path)
    assert shows(users) == whole
    """
)


def test_without_memory_nothing_is_changed(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROWS), str(tmp_path / "users.arrow")], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
    # A few hundred bytes suffice for none of them.
    assert run.stdout.split() == ["mapped"]
