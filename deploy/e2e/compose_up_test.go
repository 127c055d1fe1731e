package e2e_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/hybridinference/gateway/shared/eventually"
)

// hash is of what a container is made of, as Compose reckons it.
func hash(service types.ServiceConfig) string {
	service.Build, service.PullPolicy, service.Scale, service.DependsOn, service.Profiles = nil, "", nil, nil, nil
	if service.Deploy != nil {
		deploy := *service.Deploy
		deploy.Replicas = nil
		service.Deploy = &deploy
	}
	text, err := json.Marshal(service)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))
}

// dryRun says what `up` would do with a service's containers.
func (e *engine) dryRun(service types.ServiceConfig) (out []byte) {
	for _, c := range e.running[service.Name] {
		what := "Running"
		if c.differs(service) {
			what = "Recreate"
		}
		out = fmt.Appendf(out, " DRY-RUN MODE -  Container %s  %s \n", c.id, what)
	}
	return out
}

// differs reports whether a container is not what a service says now.
func (c *container) differs(service types.ServiceConfig) bool {
	return c.version != service.Image || hash(c.service) != hash(service)
}

// state is a container's and its health, as lib.sh asks for them.
func (e *engine) state(c *container) string {
	switch {
	case c.process.ended():
		return "exited unhealthy"
	case e.healthy(c) != nil:
		return "running starting"
	}
	return "running healthy"
}

// stop asks a container to end, and waits as long as it may take.
func (e *engine) stop(c *container) error {
	grace := 10 * time.Second
	if g := c.service.StopGracePeriod; g != nil {
		grace = time.Duration(*g)
	}
	return c.process.stop(grace)
}

// up is `compose up`: what a service needs comes first, and is healthy.
func (e *engine) up(project *types.Project, only []string, deps, recreate, wait bool, scale map[string]int) error {
	started := map[string]bool{}
	var start func(name string) error
	start = func(name string) error {
		service, ok := project.Services[name]
		if started[name] || !ok {
			return nil
		}
		started[name] = true
		for _, need := range slices.Sorted(maps.Keys(service.DependsOn)) {
			if !deps {
				break
			}
			if err := start(need); err != nil {
				return err
			}
		}
		want := service.GetScale()
		if n, ok := scale[name]; ok {
			want = n
		}
		for i, c := range slices.Clone(e.running[name]) {
			if i >= want || recreate && c.differs(service) {
				if err := e.stop(c); err != nil {
					return fmt.Errorf("stop %s: %w", c.id, err)
				}
				e.remove(c)
			}
		}
		for len(e.running[name]) < want {
			if err := e.create(service); err != nil {
				return err
			}
		}
		for _, c := range e.running[name] {
			if !wait {
				break
			}
			eventually.Nil(e.t, 60*time.Second, c.id+" is healthy", func() error { return e.healthy(c) })
		}
		return nil
	}
	if len(only) == 0 {
		only = slices.Sorted(maps.Keys(project.Services))
	}
	for _, name := range only {
		if err := start(name); err != nil {
			return err
		}
	}
	return nil
}
