# SPDX-License-Identifier: Apache-2.0
# `make` alone prints what there is. Every target is a script that can be called without make.
.DEFAULT_GOAL := help
.PHONY: help demo test bench fuzz chaos format lint build clean
# How long `make fuzz` runs, shared by its targets.
FUZZ_SECONDS ?= 600

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

demo: ## an agent uses a key that it cannot find: build, one session, proof (needs only Swift)
	@Scripts/demo.sh

test: ## install what the tests need, build, run everything, count it
	@Scripts/test.sh

bench: ## the numbers Lodge is built for, measured here
	@Benchmarks/run.sh

fuzz: ## feed the parsers noise for FUZZ_SECONDS (600)
	@Scripts/fuzz.sh $(FUZZ_SECONDS)

chaos: ## kills, disconnects and interleavings by the million, in a release build
	@Scripts/chaos.sh

format: ## rewrite the Swift sources in the house style
	@Scripts/format.sh

lint: ## format, layers, imports, headers, sizes; every check also proves that it catches
	@Scripts/lint.sh

build: ## a release build of lodge
	@Scripts/build.sh

clean: ## remove what builds and tests made
	@rm -rf .build .build-test
