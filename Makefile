# Build, test and run BGRemover. `make help` lists the targets.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

export GOFLAGS := -trimpath -buildvcs=false
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X bgremover.pro/core/app.Version=$(VERSION)
GOLANGCI := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

.PHONY: build
build: wasm ## build bin/bgremover, bin/bgremover-bench, the backends in bin/plugins, man pages and shell completions in bin/share
	CGO_ENABLED=0 go build -ldflags '$(LDFLAGS)' -o bin/ ./cmd/bgremover ./cmd/bgremover-bench
	CGO_ENABLED=1 go build -ldflags '$(LDFLAGS)' -o bin/plugins/onnx-cpu ./plugins/onnxcpu
	CGO_ENABLED=1 go build -ldflags '$(LDFLAGS)' -o bin/plugins/onnx-cuda ./plugins/onnxcuda
	CGO_ENABLED=1 go build -ldflags '$(LDFLAGS)' -o bin/plugins/onnx-derive ./plugins/onnxderive
	CGO_ENABLED=0 go build -ldflags '$(LDFLAGS)' -o bin/plugins/open-inference ./plugins/openinference
	bin/bgremover docs bin/share
	cd bin/plugins && sha256sum onnx-* open-inference > SHA256SUMS

.PHONY: wasm
wasm: ## build the pipeline's part for the browser, which bin/bgremover contains
	GOOS=js GOARCH=wasm go build -ldflags '-s -w' -o static/wasm/bgremover.wasm ./cmd/bgremover-wasm
	cp "$$(go env GOROOT)/lib/wasm/wasm_exec.js" static/wasm/
	gzip -dc core/sandbox/clib/heif/heif.wasm.gz > static/wasm/heif.wasm
	cp static/engine/engine.wasm static/wasm/
	go run ./static/pack static/wasm/bgremover.wasm static/wasm/heif.wasm static/wasm/engine.wasm

.PHONY: setup
setup: build ## install ONNX Runtime and the default model, and derive faster graphs (CUDA=1: for a GPU too; CUDA=12 for older drivers)
	bin/bgremover models pull
	$(if $(CUDA),bin/bgremover models pull --runtime $(if $(filter 12,$(CUDA)),cuda12,cuda))
	bin/bgremover models derive

.PHONY: run
run: setup ## serve on http://127.0.0.1:8080, operator page on http://127.0.0.1:9090
	bin/bgremover serve

.PHONY: test
test: setup test-tools ## install what the tests need, and run them all
	$(if $(EMULATES),$(MAKE) --no-print-directory arm64-programs)
	$(if $(EMULATES),ARM64=yes) go test -race -timeout 30m ./...
	cd ops/kubernetes && go test ./...

# Where an arm64 program runs under qemu: on that machine itself there is nothing to emulate.
EMULATES := $(filter x86_64,$(shell uname -m))

# Packages whose tests need a model, a browser, other servers or programs, or that
# take longer than unit tests do.
UNCHECKED := core/admin core/app core/backend core/bench core/model core/ratelimit core/web/browsertest core/web/edgetest \
	ops/.* plugins/examples/.* plugins/fakebackend plugins/onnx.* plugins/internal/ort plugins/openinference

.PHONY: check
check: wasm ## format, vet, lint, and unit tests that need no model and no browser (under a minute once built)
	$(GOLANGCI) run ./...
	go test $$(go list ./... | grep -vE '^bgremover.pro/($(subst $() ,|,$(strip $(UNCHECKED))))$$')

.PHONY: test-tools
test-tools: ## install what the tests need: Debian packages (servers, a browser), and NVIDIA Triton with pip
	ops/testing/install

.PHONY: arm64-programs
arm64-programs:
	CGO_ENABLED=0 GOARCH=arm64 go build -ldflags '$(LDFLAGS)' -o bin/arm64/ ./cmd/bgremover
	CGO_ENABLED=1 GOARCH=arm64 CC=aarch64-linux-gnu-gcc go build -ldflags '$(LDFLAGS)' -o bin/arm64/plugins/onnx-cpu ./plugins/onnxcpu

.PHONY: cross
cross: arm64-programs ## build for linux/arm64 into bin/arm64 (needs Debian's gcc-aarch64-linux-gnu), and what needs no C for macOS
	CGO_ENABLED=0 GOARCH=arm64 go build -ldflags '$(LDFLAGS)' -o bin/arm64/plugins/open-inference ./plugins/openinference
	CGO_ENABLED=1 GOARCH=arm64 CC=aarch64-linux-gnu-gcc go build -ldflags '$(LDFLAGS)' -o bin/arm64/plugins/onnx-derive ./plugins/onnxderive
	CGO_ENABLED=0 GOOS=darwin GOARCH=arm64 go build -o /dev/null ./cmd/bgremover ./cmd/bgremover-bench ./plugins/openinference

.PHONY: arm64
arm64: setup test-tools arm64-programs ## process a photo with the arm64 build under qemu and compare it with x86-64's, as make test does
	ARM64=yes go test -count 1 -timeout 60m -v ./ops/testing/arm64

.PHONY: security
security: setup ## measure the cost of crafted files of full size, in every format (minutes)
	SECURITY=long go test -count 1 -timeout 60m -v ./ops/security

.PHONY: lint
lint: ## check formatting, vet, run linters for Go and JavaScript, verify modules, and that the server needs no cgo and builds for macOS
	$(GOLANGCI) run ./...
	go mod verify
	go mod tidy -diff
	CGO_ENABLED=0 go build -o /dev/null ./cmd/... 
	CGO_ENABLED=0 go vet ./core/...
	CGO_ENABLED=0 GOOS=darwin GOARCH=arm64 go build -o /dev/null ./cmd/bgremover ./cmd/bgremover-bench ./plugins/openinference
	GOOS=js GOARCH=wasm go vet ./cmd/bgremover-wasm
	npm ci --prefix ops/eslint --ignore-scripts --no-audit --no-fund --loglevel=error
	ops/eslint/node_modules/.bin/eslint -c ops/eslint/eslint.config.js static

.PHONY: bench
bench: setup ## run benchmarks, as ratios within one run (PHOTOS=folder or file to choose photos)
	bin/bgremover bench $(or $(PHOTOS),core/app/testdata/photos)
	go test -run '^$$' -bench . -benchtime 3x ./...

.PHONY: device
device: setup test-tools ## measure processing on the visitor's device: times, memory, a peer, agreement with the server (DEVICE_PHOTOS=photos of each folder, or all)
	npm install --prefix bin/peer --no-save --ignore-scripts --no-audit --no-fund --loglevel=error @imgly/background-removal@1.7.0 onnxruntime-web@1.21.0
	DEVICE_PEER=$(CURDIR)/bin/peer/node_modules DEVICE_PHOTOS=$(or $(DEVICE_PHOTOS),all) go test -run '^TestOnDeviceFigures$$' -count 1 -timeout 120m -v ./core/app

.PHONY: lighthouse
lighthouse: setup test-tools ## Lighthouse scores of the pages, medians of five runs (on an idle machine)
	ops/lighthouse/run

.PHONY: soak
soak: setup ## plot the memory of onnx-cpu over 500 runs of mixed models (minutes)
	BGREMOVER_SOAK_PICTURE=$(CURDIR)/ops/load/soak.svg go test -tags soak -run '^TestSoak$$' -count 1 -timeout 30m -v ./plugins/onnxcpu

.PHONY: shapes
shapes: setup ## try the catalogue's other models by graphs of their shapes with random weights (SHAPES=names; an hour, 12 GB of memory)
	ops/testing/shapes/make bin/shapes $(SHAPES)
	SHAPES=$(CURDIR)/bin/shapes SHAPES_ONLY='$(SHAPES)' go test -run '^TestShapes$$' -count 1 -timeout 180m -v ./ops/testing/shapes

.PHONY: attack
attack: setup ## check the memory bound: eight photos of 50 megapixels at once, unread answers (minutes)
	ATTACK=long go test -run StayWithinTheBudget -count 1 -timeout 60m -v ./ops/load

.PHONY: drill
drill: setup test-tools ## stage ten faults on running servers: what the page says of each, its metric, and the alert that fires (PICTURES=folder for screenshots)
	DRILL=yes DRILL_PICTURES=$(abspath $(PICTURES)) go test -count 1 -v ./ops/drill

.PHONY: generate
generate: ## generate Go code from the protobuf files (needs Debian's protobuf-compiler)
	go generate ./...

.PHONY: clean
clean: ## remove build output; the data folder stays
	rm -rf bin static/wasm/*.wasm* static/wasm/*.js
