# Nestcall. Every target sets up what it needs; the second run is quick. `make help` lists them.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -eu -o pipefail -c
PY   := .venv/bin/python
HOST ?= 127.0.0.1
PORT ?= 8080
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup setup-test run test check fix types web e2e unit bench lock clean faults

help: ## list the targets
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: .venv/.done ## python environment for running

.venv/.done: requirements.lock pyproject.toml
	@scripts/setup-python

setup-test: setup ## plus Chromium, PostgreSQL, coturn and the page's build tools
	@scripts/setup-test

run: setup ## serve the product with demo data on http://$(HOST):$(PORT)
	@exec $(PY) -m gateway.cli serve --host $(HOST) --port $(PORT)

test: setup-test check pages unit e2e ## everything CI runs

check: setup ## format, lint, types, the dependency law
	@.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

fix: setup ## format and mend what can be mended
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .

pages: setup-test ## the pages' own tests; what is committed in web/static is what the sources build to
	@$(MAKE) --no-print-directory web
	git diff --exit-code --stat -- web/static web/src || { echo 'web/static is not what web/src builds to: commit the result of make web' >&2; exit 1; }
	untracked=$$(git ls-files --others --exclude-standard web/static)
	[ -z "$$untracked" ] || { echo "built but not committed: $$untracked" >&2; exit 1; }

unit: setup ## tests without a browser
	@$(PY) -m pytest -m "not e2e"

e2e: setup-test ## the real pages in Chromium against a real gateway
	@$(PY) -m pytest -m e2e

lock: ## renew requirements.lock from pyproject.toml
	@.venv/bin/uv pip compile pyproject.toml --group dev --generate-hashes --no-emit-index-url --no-emit-find-links -q --no-header -o requirements.lock

types: setup ## write what the pages take from the gateway: protocol.gen.ts and the fold's test cases
	@$(PY) scripts/gen-types && $(PY) scripts/gen-fold-cases

web: types ## build the pages into web/static
	@cd web
	[ -d node_modules ] && [ ! package-lock.json -nt node_modules/.done ] || { npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.done; }
	npm test && npm run build

bench: bench-join bench-voice bench-jitter bench-engines bench-answer bench-redflags evaluate bench-messages bench-capacity ## all benchmarks but the long ones (bench-peers, faults, soak)

bench-voice: setup ## answer and stop latency over WHIP, false interruptions, endpointing
	@$(PY) -m benchmarks.endpointing
	$(PY) -m benchmarks.interruptions
	$(PY) -m benchmarks.voice

faults: setup ## 100,000 messages through 220 faults, 52 of them kill -9; the report goes to benchmarks/results
	@$(PY) -m tests.faults.mix --minutes 10 --messages 100000 --faults 220 --kills 52 --every-s 1.0 --limit-minutes 24 --save benchmarks/results

bench-redflags: setup ## red flags: recall, false alarms and latency beside a plain word list
	@$(PY) -m benchmarks.redflags


bench-peers: setup ## join, reply, barge-in beside pipecat and fastrtc (installs them into a temporary directory; minutes)
	@$(PY) -m benchmarks.peers

bench-messages: setup ## 1,000 open pages and 100 messages a second: ack, delivery, memory, everybody back after a cut
	@$(PY) -m benchmarks.messages

topics: setup ## compile the retrieval's topics after a change of their wordings, synonyms or stop words
	@$(PY) -m benchmarks.topics

evaluate: setup ## golden questions: ours beside BM25 over words and TF-IDF, and latency at 5,000 entries
	@$(PY) -m benchmarks.retrieval


bench-join: setup-test ## tap to first sound in Chromium and with the call client, beside a bare floor (root)
	@$(PY) -m benchmarks.join

bench-jitter: setup ## what reaches the recognizer under loss, beside aiortc's own buffer
	@$(PY) -m benchmarks.jitter

bench-capacity: setup ## calls per core, loop lateness, memory a call
	@$(PY) -m benchmarks.capacity

soak: setup ## 30 minutes, 200 calls placed and ended: tasks, descriptors and memory back at base
	@$(PY) -m benchmarks.capacity --soak 1800 --calls 200


bench-engines: setup ## cost of detectors, voice and recognizers; how often the phrasebook is right
	@$(PY) -m benchmarks.engines

bench-answer: setup ## a question in chat until its answer is seen, over the real WebSocket
	@$(PY) -m benchmarks.answer
