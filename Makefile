# up    bring up examples/production on this machine
# test  run every test, with the race detector where there is a C compiler
# lint  gofmt, vet, staticcheck, and plainlint: lines of 120 characters at most, and no private words
# chaos put a short schedule of faults on a group under load: LARDER_CHAOS_SEED=N chooses another
# chaos-long 1,000 faults, and 1,000 failovers that must leak nothing
# terraform-long the public modules' shapes, with the round that changes how many nodes their groups have, and groups
#       that are replaced by hand
# fuzz  run each fuzz target for a short time: FUZZTIME=10m says how long
# sdk   compare the copied part of the SDK's EC2 client with the whole
# bench measure, and write docs/BENCHMARKS.md: BENCHFLAGS='-only failover -scripts 10m' says what and how long
.PHONY: up test lint chaos chaos-long terraform-long fuzz sdk bench build generate

LARDER := ./larder
RACE := $(shell command -v cc >/dev/null 2>&1 && echo -race)

up: build
	@scripts/install-redis
	@$(LARDER) up examples/production

build:
	@[ -x $(LARDER) ] || echo "building $(LARDER), which takes a minute or so the first time"
	@CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o larder ./cmd/larder

test:
	@scripts/install-redis
	@scripts/install-clients
	@scripts/install-prometheus
	@if [ -z "$(RACE)" ]; then [ "$$CI" != true ] || { echo "the race detector needs a C compiler" >&2; exit 1; }; \
		echo "no C compiler: testing without the race detector" >&2; fi
	go test $(RACE) -timeout 30m ./...

lint:
	@fmt="$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l)"; \
		[ -z "$$fmt" ] || { echo "gofmt would change:"; echo "$$fmt"; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	go run ./internal/plainlint

chaos:
	@scripts/install-redis
	go test -count=1 -v -timeout 15m -run '^TestChaos$$' ./test/chaos

chaos-long:
	@scripts/install-redis
	LARDER_CHAOS_FAULTS=1000 LARDER_CHAOS_FAILOVERS=1000 go test -count=1 -v -timeout 0 \
		-run '^(TestChaos|TestFailoversLeakNothing)$$' ./test/chaos

terraform-long:
	@scripts/install-redis
	LARDER_TERRAFORM_LONG=1 go test -count=1 -v -timeout 30m \
		-run '^(TestPublicModules|TestAGroupIsReplacedByHand)$$' ./test/cycle

FUZZTIME := 20s

fuzz:
	@git grep -n '^func Fuzz' -- '*_test.go' | sed -E 's/^(.*)\/[^/]*:[0-9]+:func (Fuzz[A-Za-z0-9_]*).*/\1 \2/' | \
		while read -r package target; do \
			echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) "./$$package" || exit 1; \
		done

sdk:
	go test -tags wholesdk ./internal/awssdk/...

bench: build
	@scripts/install-redis
	@go run ./bench -larder $(LARDER) -out docs/BENCHMARKS.md $(BENCHFLAGS)

generate:
	go generate ./...
