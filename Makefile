# The doors of the project. `make demo` and `make test` set up all they need.

CARGO ?= cargo
PYTHON ?= python3

.PHONY: help demo build test test-real lint layouts bench fuzz soak clean

help:
	@echo "make demo       build, start a leaky Flask service, weigh it"
	@echo "make build      the program at target/release/deadweight"
	@echo "make test       the tests, with every interpreter that can be had"
	@echo "make test-real  real programs and libraries, faults at length"
	@echo "make lint       rustfmt, clippy, ruff"
	@echo "make layouts    make the layout tables again from installed headers, and compare"
	@echo "make bench      figures against other tools, for docs/performance.md"
	@echo "make fuzz       cargo-fuzz (needs a nightly toolchain)"
	@echo "make soak       hours of snapshots of churning programs"

build:
	$(CARGO) build --release --locked --package deadweight-cli

demo: build
	PYTHON=$(PYTHON) examples/demo/run

test:
	scripts/get-pythons
	$(CARGO) test --workspace --locked

clean:
	$(CARGO) clean
	rm -rf .deadweight
