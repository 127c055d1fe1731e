package publish

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/shared/wire"
)

// DisableEndpoints takes endpoints out of service, whatever their weights,
// until EnableEndpoints. They are named by full ids. The last endpoint of a
// model that still serves cannot be taken.
func (p *Publisher) DisableEndpoints(ctx context.Context, c Change, ids []string) (Result, error) {
	return p.change(ctx, c, func(b *basis) (*plan, error) {
		models, err := owners(b.snapshot(), ids)
		if err != nil {
			return nil, err
		}
		w := &plan{disable: ids, action: "endpoints.disable", target: strings.Join(ids, " ")}
		w.snapshot = reweighted(b.snapshot(), func(e *wire.Endpoint) {
			if slices.Contains(ids, e.ID) {
				e.Reset(e.Intended(), true)
			}
		})
		var errs []error
		for _, m := range models {
			errs = append(errs, w.serves(m))
		}
		return w, errors.Join(errs...)
	})
}

// EnableEndpoints gives endpoints back the weights that they had, or were
// given meanwhile.
func (p *Publisher) EnableEndpoints(ctx context.Context, c Change, ids []string) (Result, error) {
	return p.change(ctx, c, func(b *basis) (*plan, error) {
		if _, err := owners(b.snapshot(), ids); err != nil {
			return nil, err
		}
		w := &plan{enable: ids, action: "endpoints.enable", target: strings.Join(ids, " ")}
		w.snapshot = reweighted(b.snapshot(), func(e *wire.Endpoint) {
			if slices.Contains(ids, e.ID) {
				e.Reset(e.Intended(), false)
			}
		})
		return w, nil
	})
}

// owners returns the models of endpoints, or says which do not exist.
func owners(s *wire.Snapshot, ids []string) ([]*wire.Model, error) {
	if len(ids) == 0 {
		return nil, invalid("no endpoints specified; their form is MODEL:ENDPOINT")
	}
	var models []*wire.Model
	var errs []error
	for _, id := range ids {
		i := slices.IndexFunc(s.Models, func(m wire.Model) bool {
			return slices.ContainsFunc(m.Endpoints, func(e wire.Endpoint) bool { return e.ID == id })
		})
		if i < 0 {
			errs = append(errs, unknownEndpoint(s, id))
			continue
		}
		models = append(models, &s.Models[i])
	}
	return models, errors.Join(errs...)
}

// unknownEndpoint lists the endpoints of the model that seems to be meant.
func unknownEndpoint(s *wire.Snapshot, id string) error {
	for i := range s.Models {
		m := &s.Models[i]
		if strings.HasPrefix(id, m.ID+":") || id == m.ID {
			return invalid("endpoint %q not found; %s has %s, each prefixed with \"%s:\"", id, m.ID, parts(m), m.ID)
		}
	}
	return invalid("endpoint %q not found; gatewayctl endpoints, or GET /admin/endpoints, lists them", id)
}
