# `make help` lists what there is. What takes more than a line is a script, see scripts/README.md.

VERSION  = $(shell git describe --always --dirty 2>/dev/null || echo unknown)
COMMIT   = $(shell git rev-parse --short HEAD 2>/dev/null)
DATE     = $(shell TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ 2>/dev/null)
# A first build takes minutes: it names the packages as it goes.
FIRST    = $(if $(wildcard bin/standalone),,-v)
INFO     = github.com/hybridinference/gateway/shared/buildinfo
MODULES  = $(shell go list -m -f '{{.Dir}}')
COMMANDS = ./dataplane/cmd/dataplane ./controlplane/cmd/controlplane ./controlplane/cmd/gatewayctl ./deploy/standalone

# git may refuse to describe a checkout that another user owns; the version is stamped by hand.
export GOFLAGS := $(shell go env GOFLAGS) -buildvcs=false

.DEFAULT_GOAL := help
.PHONY: backup bench bench-report build chaos clean docs down first-hour fmt fuzz help images licenses lint logs pin ps release-snapshot renew restart restore run scale test test-short test-compose test-helm tidy up upgrade

build: ## the four binaries, in bin/
	CGO_ENABLED=0 go build $(FIRST) -trimpath -tags grpcnotrace -ldflags '-s -w -X main.version=$(VERSION) -X $(INFO).commit=$(COMMIT) -X $(INFO).date=$(DATE)' -o bin/ $(COMMANDS)

run: build ## build, then start the whole gateway on loopback (config/, data/)
	exec bin/standalone

test: ## every test, with the race detector; gets PostgreSQL and node modules when they are missing
	@scripts/test.sh

# Most of the time tests wait, so that more of them run at a time than there are cores.
test-short: ## unit tests without race detector and servers, in about two minutes
	go test -short -p 6 $$(go list work | grep -v /deploy/)

test-helm: ## the Kubernetes chart; builds Helm's library, which takes minutes at first
	cd deploy/helm && GOWORK=off go test ./...

test-compose: ## the Compose chapter on Docker itself, as root, in 10 to 20 minutes; ENGINE_DIR=FOLDER keeps its caches
	deploy/engine/engine.sh sh -c 'cd deploy/engine && GOWORK=off exec go test -count=1 -timeout 60m -v .'

lint: ## linters, every module on its own, shell scripts
	@scripts/lint.sh

fmt: ## format all Go code
	scripts/golangci.sh fmt $(MODULES)

bench: build ## measure a node against a bare proxy (BENCH='flags')
	go run ./scripts/bench/cmd/bench $(BENCH)

bench-report: build ## the same beside nginx, if there is one, as a page with plots in bench-report/, in ten minutes (BENCH='flags')
	go run ./scripts/bench/cmd/bench -report bench-report -nginx "$$(PATH=$$PATH:/usr/sbin command -v nginx)" -rounds 5 -limit 20m \
		-only small,large,fast,paced,idle,latency,https-small,https-fast,ttft,frontier,burst $(BENCH)

chaos: ## kill, cut and wipe everything under load for CHAOS_SECONDS (60), then damage a spool DAMAGE_ROUNDS (10000) times
	CHAOS_SECONDS=$${CHAOS_SECONDS:-60} scripts/test.sh ./deploy/e2e/ -run TestChaos
	cd dataplane && DAMAGE_ROUNDS=$${DAMAGE_ROUNDS:-10000} go test -count=1 -timeout 60m -run 'TestDamage$$' -v ./node/

first-hour: ## the steps of README.md and docs/quick-start.md as they are written, in fresh clones, FIRST_HOUR_RUNS (10) times
	FIRST_HOUR_RUNS=$${FIRST_HOUR_RUNS:-10} scripts/test.sh ./deploy/e2e/ -run 'TestFirstHour$$'

fuzz: ## every fuzz target for FUZZTIME (10s) each
	@scripts/fuzz.sh

images: ## Docker images of every part
	@$(MAKE) -C deploy/docker --no-print-directory build

# Docker Compose on this machine: deploy/README.md. s=SERVICE, n=NODES, f=FILE
backup down logs pin ps renew restart restore scale up upgrade: ## the gateway in Docker Compose: make -C deploy/docker help
	@$(MAKE) -C deploy/docker --no-print-directory $@ s='$(s)' n='$(n)' f='$(f)'

licenses: ## write THIRD_PARTY_LICENSES
	scripts/licenses.sh

release-snapshot: ## archives and packages of a release, in dist/; nothing is published (deploy/release/README.md)
	deploy/release/goreleaser.sh check
	deploy/release/goreleaser.sh release --snapshot --clean --skip=publish,sign,sbom,docker

docs: ## the documentation as a web site, in docs/site
	go run ./scripts/docs

tidy: ## go mod tidy in every module
	for folder in $(MODULES); do (cd "$$folder" && GOWORK=off go mod tidy) || exit 1; done

clean: ## remove what make built; data/ stays
	rm -rf bin dist .cache

help: ## this list
	@awk -F ':.*## ' '/^[a-z -]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
