"""Writes the table of docs/real-programs.md: `tests/real/run --figures`."""

import test_programs as real

PAGE = real.ROOT / "docs/real-programs.md"
MARK = "<!-- figures -->\n"
HEAD = """| program | Python | objects | references | small blocks owned | resident | paused | heaviest |
|---|---|---:|---:|---:|---:|---:|---|
"""


def row(case: str, minor: str) -> str:
    _, packages, _, _ = real.CASES[case]
    with real.started(case, minor) as program:
        weighed = program.read("weigh")
    small, top = weighed["pymalloc"], weighed["heaviest"][0]
    owned = 100 * small["owned_block_bytes"] / small["used_block_bytes"]
    return (
        f"| {', '.join((case, *packages))} | {weighed['provenance']['python']} | {weighed['objects']:,} "
        f"| {weighed['references']:,} | {owned:.1f} % | {weighed['rss_bytes'] / 1e6:.0f} MB "
        f"| {weighed['pause_ms']:.0f} ms | {top['bytes'] / 1e6:.1f} MB, `{top['path']}` |\n"
    )


def main() -> None:
    rows = [row(case, minor) for case in real.CASES for minor in real.MINORS]
    before, _, after = PAGE.read_text().split(MARK)
    PAGE.write_text(before + MARK + HEAD + "".join(rows) + MARK + after)


if __name__ == "__main__":
    main()
