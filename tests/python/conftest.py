"""What the tests of the package have in common."""

# A project for tests to run: it leaks.
collect_ignore = ["sample"]
