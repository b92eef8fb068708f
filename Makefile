# Two commands are enough: make run, make test. The others are for work on the project; "make help" lists them.

SHELL := /bin/sh
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.node/bin:$(PATH)

# More arguments for the server and the like: make run ARGS="--now 2026-11-23T09:00:00+08:00"
ARGS ?=

PANEL_SOURCES := $(shell find panel/src panel/public -type f 2>/dev/null) panel/index.html panel/vite.config.ts panel/tsconfig.json

.PHONY: help run test check sim fuzz bench prove audit panel clean setup setup-test

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: setup panel ## build everything, then serve the demonstration on http://127.0.0.1:8080 and SIP 5060
	@cargo build --release --quiet
	@exec ./target/release/hotline serve --demo $(ARGS)

test: setup-test panel ## every check and every test, the runner's summary last
	cargo fmt --check
	cd panel && npm run --silent check && npm run --silent test
	cargo clippy --quiet --all-targets -- -D warnings
	@scripts/test.sh

check: setup panel ## the quick ones: format, lints, types, the shipped configuration and flows
	cargo fmt --check
	cargo clippy --quiet --all-targets -- -D warnings
	cd panel && npm run --silent check
	cargo run --quiet -- check
	cargo run --quiet -- flow check ivr-flows

sim: ## simulated days, a hundred seeds of them, with what they reached; SEED=7 for one, HOTLINE_PROVE=1 for a thousand
	cargo test --release --no-default-features --test days -- --nocapture

fuzz: setup ## bytes made up for each reader of what strangers send, ten minutes each; SECONDS=60 for less
	@scripts/fuzz.sh $(or $(SECONDS),600)

bench: setup panel ## what an event costs with 100 to 50,000 calls, 500 agents' pages, what projector and journal write, the pages' budgets, a search of the knowledge, the rates of a year, a voice's delay; never part of the tests
	cargo run --release --no-default-features --example engine_load
	cargo run --release --example projector_load
	cargo run --release --example journal_load
	cargo run --release --example last_tickets
	cargo run --release --no-default-features --example kb_search
	cargo run --release --example ticket_search
	cargo run --release --example ticket_writes
	cargo run --release --example rates_year
	cargo build --release --bin hotline && cargo run --release --example voice_delay
	cargo run --release --example cti_load
	node panel/e2e/budgets.mjs

prove: setup-test panel ## full counts of faults, kills and seeds; takes about an hour
	HOTLINE_PROVE=1 scripts/test.sh --release

audit: setup ## licences, sources and bans of all dependencies; known faults where their list can be reached
	@command -v cargo-deny >/dev/null || cargo install --quiet --locked cargo-deny
	cargo deny --log-level error check bans licenses sources
	@cargo deny --log-level error check advisories || echo "audit: Rust's list of faults could not be read or has entries, see above"
	@cd panel && npm audit --omit=dev || echo "audit: npm's list of faults could not be read or has entries, see above"

panel: panel/dist/index.html ## build the web pages into panel/dist

panel/node_modules/.installed: panel/package-lock.json
	@scripts/node.sh
	@cd panel && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

panel/dist/index.html: panel/node_modules/.installed $(PANEL_SOURCES)
	@cd panel && npm run --silent build
	@touch $@

setup: ## bring what building and serving need and the machine lacks
	@scripts/setup.sh run

setup-test: ## that, and what the tests call
	@scripts/setup.sh test

clean: ## remove what was built; data/ stays
	cargo clean --quiet
	rm -rf panel/dist panel/node_modules .node
