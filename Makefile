# What a person or a machine does with BGRemover. `make help` lists it.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

# nodynamic: image decoders must never load a system library.
export GOFLAGS := -tags=nodynamic -trimpath -buildvcs=false
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X bgremover.pro/core/app.Version=$(VERSION)
GOLANGCI := go run -tags= github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: help
help: ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

.PHONY: build
build: ## bin/bgremover, bin/bgremover-bench, and backends in bin/plugins
	CGO_ENABLED=0 go build -ldflags '$(LDFLAGS)' -o bin/ ./cmd/bgremover ./cmd/bgremover-bench
	CGO_ENABLED=1 go build -ldflags '$(LDFLAGS)' -o bin/plugins/onnx-cpu ./plugins/onnxcpu
	CGO_ENABLED=1 go build -ldflags '$(LDFLAGS)' -o bin/plugins/onnx-cuda ./plugins/onnxcuda
	CGO_ENABLED=1 go build -ldflags '$(LDFLAGS)' -o bin/plugins/onnx-derive ./plugins/onnxderive
	CGO_ENABLED=0 go build -ldflags '$(LDFLAGS)' -o bin/plugins/open-inference ./plugins/openinference
	cd bin/plugins && sha256sum onnx-* open-inference > SHA256SUMS

.PHONY: setup
setup: build ## fetch the runtime and the default model, make it faster here (CUDA=1: the GPU runtime too)
	bin/bgremover models pull
	$(if $(CUDA),bin/bgremover models pull --runtime cuda)
	bin/bgremover models derive

.PHONY: run
run: setup ## serve on http://127.0.0.1:8080, operator page on http://127.0.0.1:9090
	bin/bgremover serve

.PHONY: test
test: setup test-tools ## install what the tests need, run them all
	go test -race -timeout 30m ./...

.PHONY: test-tools
test-tools: ## install the servers, the browser and the npm packages that the tests meet
	ops/testing/install

.PHONY: security
security: setup ## crafted files of full size, in every format: what each costs (minutes)
	BGREMOVER_SECURITY=long go test -count 1 -timeout 60m -v ./ops/security

.PHONY: lint
lint: ## formatting, vet, linters, generated files, and that the server needs no cgo
	$(GOLANGCI) run ./...
	go mod verify
	go mod tidy -diff
	CGO_ENABLED=0 go build -o /dev/null ./cmd/... 
	CGO_ENABLED=0 go vet ./core/...

.PHONY: bench
bench: setup ## benchmarks, as ratios measured in one run (PHOTOS=folder or file: on those)
	bin/bgremover bench $(or $(PHOTOS),core/app/testdata/photos)
	go test -run '^$$' -bench . -benchtime 3x ./...

.PHONY: lighthouse
lighthouse: setup test-tools ## Lighthouse's marks for the pages, medians of five runs (when the machine is quiet)
	ops/lighthouse/run

.PHONY: soak
soak: setup ## 500 runs of mixed models on the processor, their memory as a picture (minutes)
	BGREMOVER_SOAK_PICTURE=$(CURDIR)/ops/load/soak.svg go test -tags nodynamic,soak -run '^TestSoak$$' -count 1 -timeout 30m -v ./plugins/onnxcpu

.PHONY: attack
attack: setup ## eight photos of 50 megapixels at once in each format, unread forms: the memory stays bounded (minutes)
	ATTACK=long go test -run StayWithinTheBudget -count 1 -timeout 60m -v ./ops/load

.PHONY: generate
generate: ## the Go code of the protobuf contracts (needs Debian's protobuf-compiler)
	go generate ./...

.PHONY: clean
clean: ## remove what was built; the data folder stays
	rm -rf bin
