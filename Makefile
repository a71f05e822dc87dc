# up    bring up examples/production on this machine
# test  run every test, with the race detector where there is a C compiler
# lint  gofmt, vet, staticcheck
# bench measure, and write docs/BENCHMARKS.md
.PHONY: up test lint bench build generate

LARDER := ./larder
RACE := $(shell command -v cc >/dev/null 2>&1 && echo -race)

up: build
	@scripts/install-redis
	@$(LARDER) up examples/production

build:
	@CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o larder ./cmd/larder

test:
	@scripts/install-redis
	@scripts/install-clients
	@if [ -z "$(RACE)" ]; then [ "$$CI" != true ] || { echo "the race detector needs a C compiler" >&2; exit 1; }; \
		echo "no C compiler: testing without the race detector" >&2; fi
	go test $(RACE) -timeout 15m ./...

lint:
	@fmt="$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l)"; [ -z "$$fmt" ] || { echo "gofmt would change:"; echo "$$fmt"; exit 1; }
	go vet ./...
	go tool staticcheck ./...

bench: build
	@scripts/install-redis
	@go run ./bench -larder $(LARDER) -out docs/BENCHMARKS.md

generate:
	go generate ./...
