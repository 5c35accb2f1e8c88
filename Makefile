# Longhaul: `make serve` runs it, `make test` tests all of it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.NOTPARALLEL:

run := scripts/with-tools
# The bench keeps its rivals in the cache, of which with-tools tells no one.
bench := $(run) env LONGHAUL_CACHE="$${LONGHAUL_CACHE:-}" node

# The two programs, as [package.metadata.leptos] has them built; every command
# below names them so, and thus each dependency is compiled once.
ssr := --release --no-default-features --features=ssr
wasm := --profile=wasm-release --lib --target=wasm32-unknown-unknown --target-dir=target/front
hydrate := $(wasm) --no-default-features --features=hydrate

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: serve
serve: build ## Build what is missing and serve http://127.0.0.1:3000 with data in ./data
	exec env -u LONGHAUL_CACHE target/release/longhaul serve --listen 127.0.0.1:3000 --data data

.PHONY: test
test: lint build ## Run every test there is
	@echo "== unit and integration tests"
	$(run) cargo nextest run $(ssr)
	@echo "== documentation tests"
	$(run) cargo test --doc $(ssr)
	@echo "== one site, two builders"
	scripts/same-site
	@echo "== browser tests"
	cd end2end && ../$(run) npm run --silent check && ../$(run) npx playwright test --forbid-only

.PHONY: screenshots
screenshots: setup build ## Take a picture of every page and state, into end2end/screenshots
	@rm -rf end2end/screenshots
	cd end2end && ../$(run) npm run --silent screenshots
	@echo "$$(ls end2end/screenshots | wc -l) pictures are in end2end/screenshots"

.PHONY: soak
soak: ## Try bad days until stopped, or so many of them: make soak SEEDS=1000000
	$(run) cargo test $(ssr) --test simulation -- --ignored --nocapture soak

.PHONY: bench
bench: build ## Measure against the rivals, and write it to bench/ and the README
	@$(bench) bench/rivals.mjs
	@$(bench) bench/main.mjs

.PHONY: bench-quick
bench-quick: build ## The same in a minute, against nginx alone; the last line is JSON
	@$(bench) bench/rivals.mjs npm nginx
	@$(bench) bench/main.mjs --quick

.PHONY: bench-hot
bench-hot: ## Measure what runs for every frame, block and upload, alone
	@scripts/setup build
	$(run) cargo bench --no-default-features --features=ssr --bench hot

.PHONY: dev
dev: ## Serve a debug build that rebuilds and reloads on every change
	@scripts/setup dev
	@scripts/build-hasher
	@# cargo-leptos hashes names in its first build only, and would serve that one for ever.
	LEPTOS_HASH_FILES=false $(run) cargo leptos watch -- serve --data data

.PHONY: build
build: ## Build the release: target/release/longhaul and target/site
	@scripts/setup build
	@echo "== release"
	@scripts/build-hasher
	@$(run) node scripts/build-site.mjs

.PHONY: lint
lint: setup ## Check the format, and each of the two features alone with Clippy
	@echo "== lint"
	$(run) cargo fmt --all --check
	$(run) cargo clippy $(ssr) --all-targets -- -D warnings
	$(run) cargo clippy $(hydrate) -- -D warnings
	$(run) cargo clippy --package=hasher $(wasm) -- -D warnings

.PHONY: setup
setup: ## Install or build all that the build, the tests and `make dev` need
	@scripts/setup test

.PHONY: clean
clean: ## Remove what was built here; shared dependencies and tools stay
	rm -rf target bench/node_modules end2end/node_modules end2end/test-results end2end/playwright-report
