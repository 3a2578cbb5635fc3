# What a developer types. CI runs .ci/run, which holds all of it.

STATICCHECK = go run honnef.co/go/tools/cmd/staticcheck@v0.8.2
ALL = ./... ./.ci/bench/... # what begins with a dot, ./... passes over

.PHONY: build check quick test fuzz soak clients tokens bench

build: # the binary, as ./kb-mcp
	go build -trimpath -o kb-mcp ./cmd/kb-mcp

check: # the gate: no network, no keys
	go build $(ALL)
	go vet $(ALL)
	$(STATICCHECK) $(ALL)
	test -z "$$(gofmt -l .)"
	go mod tidy -diff
	go test -race -shuffle=on -count=1 ./...

quick: # while working: half a minute
	go build $(ALL)
	go vet $(ALL)
	go test -short ./...

test:
	go test -race -shuffle=on ./...

fuzz: # every target for a while: make fuzz SECONDS=60
	.ci/fuzz $(or $(SECONDS),10)

soak: # sessions that come and go while platforms fail: make soak TIME=10m
	go test -count=1 -v -run '^TestSoak$$' ./cmd/kb-mcp -timeout 0 -soak $(or $(TIME),2m)

clients: # real MCP clients against the real binary; needs npm
	.ci/clients/run

tokens: # what agents pay for, against its budgets and .ci/tokens.json; needs npm
	.ci/tokens

bench: # measures the real binary, and renews the README's figures
	go run ./.ci/bench -readme README.md
