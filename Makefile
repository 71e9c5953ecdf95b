# One command each. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help run web web-test api-test test setup lint chaos bench clean-data

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: ## Build what is needed and start everything on the embedded defaults
	tools/build-dashboard --or-go-on
	cargo build --locked --bin watchbell
	exec target/debug/watchbell serve

web: ## Build the dashboard if it is missing or stale (needs Node 20 or newer)
	tools/build-dashboard

setup: ## Install what the tests need (Debian), or say what is missing
	tools/install-test-needs

lint: ## Formatting and clippy, warnings denied
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

# `build --all-targets` first: the product's tests start every service's binary.
test: setup lint web ## What must hold: formatting, lints, all tests, deploy files, API, dashboard with its journeys
	cargo build --locked --workspace --all-targets
	cargo test --locked --workspace
	deploy/check.sh
	tools/check-api
	cd web-ui && npm run check && npm run journeys

api-test: setup ## Of these: the API answers as its document says, to thousands of made-up requests
	cargo build --locked --bin watchbell
	tools/check-api

web-test: setup web ## Of these: the dashboard, with types, lint, format, unit tests and journeys in a browser
	cargo build --locked --bin watchbell
	cd web-ui && npm run check && npm run journeys

chaos: setup ## 20,000 events while every service is killed again and again (minutes)
	cargo build --locked --workspace --all-targets
	cargo test --locked -p watchbell --test chaos -- --nocapture --test-threads 1

bench: setup ## Measure against the peers and print ratios (release build, then about half an hour)
	cargo build --locked --release --workspace --bins
	bench/run
