# The doors of the project. Each sets up all it needs.

CARGO ?= cargo
PYTHON ?= python3

# Set by .ci/run: an interpreter that the tests want and this machine lacks is a failure.
need := $(if $(DEADWEIGHT_NEED_PYTHONS),--need)
ruff := .deadweight/ruff
# How long `make fuzz` stays with each target, and `make soak` in all.
SECONDS_EACH ?= 600
MINUTES ?= 60

.PHONY: help demo build test test-package test-real lint layouts bench fuzz soak clean

help:
	@echo "make demo       build, start a leaky Flask service, weigh it"
	@echo "make build      the program at target/release/deadweight"
	@echo "make test       the tests, with every interpreter that can be had"
	@echo "make test-package  the Python package, in every interpreter"
	@echo "make test-real  real programs and libraries, faults at length"
	@echo "make lint       rustfmt, clippy, ruff, mypy, pyright, stubtest"
	@echo "make layouts    hold the layout tables against installed headers"
	@echo "make bench      figures beside other tools, for performance.md, records.md, lifetimes.md, collector.md and files.md"
	@echo "make fuzz       cargo-fuzz (needs a nightly toolchain)"
	@echo "make soak       snapshots of churning programs, for an hour"

# Rust itself is nothing that we set up.
.PHONY: rust
rust:
	@command -v $(firstword $(CARGO)) >/dev/null || { \
	    echo "make: cargo is not here. Install Rust 1.95 or newer: https://rustup.rs" >&2; exit 2; }
	@command -v $(CC) >/dev/null || { \
	    echo "make: there is no C compiler. Install one, such as the package gcc." >&2; exit 2; }

build: rust
	$(CARGO) build --release --locked --package deadweight-cli

demo: build
	PYTHON=$(PYTHON) examples/demo/run

test: rust pythons
	$(CARGO) test --workspace --locked
	scripts/test-package

test-package: rust pythons
	scripts/test-package

test-real: build pythons
	DEADWEIGHT=$(CURDIR)/target/release/deadweight PYTHON=$(PYTHON) tests/real/run
	PYTHON=$(PYTHON) tests/real/libraries
	DEADWEIGHT_AT_LENGTH=1 ONLY="3.10 3.15" scripts/test-package -k "test_nothing_on_an_idle_program or test_records_model or test_caches_hammered or test_records_long_texts"
	DEADWEIGHT_AT_LENGTH=1 $(CARGO) test --locked -p deadweight-process --test live -- states:: churn::
	$(CARGO) test --locked -p deadweight-cli --test cli -- --ignored a_line_of_two_gigabytes

lint: rust pythons
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- --deny warnings
	scripts/make-venv $(ruff) $(PYTHON) "ruff==0.17.6"
	$(ruff)/bin/ruff check .
	$(ruff)/bin/ruff format --check .
	scripts/lint-package

bench: build pythons
	@failed=0; \
	for part in bench package; do \
	    $(PYTHON) benches/$$part.py --write docs/performance.md || failed=1; \
	done; \
	$(PYTHON) benches/collector.py --write docs/lifetimes.md || failed=1; \
	$(PYTHON) benches/records.py --write docs/records.md || failed=1; \
	$(PYTHON) benches/caches.py --write docs/lifetimes.md || failed=1; \
	$(PYTHON) benches/collector_services.py --write docs/collector.md || failed=1; \
	$(PYTHON) benches/files.py --write docs/files.md || failed=1; \
	exit $$failed

layouts: pythons
	$(CARGO) xtask layouts --check $$(scripts/pythons --headers)

# The kept corpus is replayed by `make test`; this looks for more.
fuzz:
	@cargo fuzz --version >/dev/null 2>&1 || { echo "make fuzz: run: cargo install cargo-fuzz" >&2; exit 2; }
	@cargo +nightly --version >/dev/null 2>&1 || { echo "make fuzz: run: rustup toolchain install nightly" >&2; exit 2; }
	for target in snapshot memory_image path csv search lines unpacked; do \
	    cargo +nightly fuzz run $$target -- -max_total_time=$(SECONDS_EACH) || exit 1; \
	done

soak: build pythons
	$(CARGO) test --locked -p deadweight-cpython --test synthetic -- --ignored damaged_word noise
	scripts/soak $(MINUTES)

.PHONY: pythons
pythons:
	scripts/get-pythons
	scripts/pythons $(need)

clean:
	$(CARGO) clean
	rm -rf .deadweight
