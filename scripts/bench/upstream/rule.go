package upstream

import (
	"errors"
	"slices"
	"strings"
	"sync"
)

// Rule applies a script to some of the requests.
type Rule struct {
	// Model is the model in the request's body; empty matches every model.
	Model string `json:"model,omitempty"`
	// Path is a part of the request's path, such as "/health" or a prefix that
	// tells endpoints apart; empty matches every POST.
	Path string `json:"path,omitempty"`
	// Times is for how many requests the rule is valid; 0 is until it is replaced.
	Times int `json:"times,omitempty"`

	Script
}

// matches reports whether the rule is meant for a request.
func (r *Rule) matches(req *request) bool {
	if r.Model != "" && r.Model != req.model {
		return false
	}
	if r.Path == "" {
		return req.method == "POST"
	}
	return strings.Contains(req.path, r.Path)
}

// weight orders rules that match the same request: the more they ask, the earlier.
func (r *Rule) weight() int {
	n := 0
	if r.Model != "" {
		n += 2
	}
	if r.Path != "" {
		n++
	}
	return n
}

// book holds the rules. The zero value answers everything by the zero Script.
type book struct {
	mu      sync.Mutex
	limited []*Rule // with Times, the oldest first
	lasting []*Rule // the most specific first
	healthy Script  // when no rule matches
}

func (b *book) set(r Rule) error {
	if err := r.check(); err != nil {
		return err
	}
	if r.Times < 0 {
		return errors.New("times must not be negative")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.Times > 0 {
		b.limited = append(b.limited, &r)
		return nil
	}
	b.lasting = slices.DeleteFunc(b.lasting, func(o *Rule) bool { return o.Model == r.Model && o.Path == r.Path })
	b.lasting = append(b.lasting, &r)
	slices.SortStableFunc(b.lasting, func(x, y *Rule) int { return y.weight() - x.weight() })
	return nil
}

func (b *book) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limited, b.lasting = nil, nil
}

// find returns the script for a request. It is never written to again.
func (b *book) find(req *request) *Script {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, r := range b.limited {
		if !r.matches(req) {
			continue
		}
		if r.Times--; r.Times == 0 {
			b.limited = slices.Delete(b.limited, i, i+1)
		}
		return &r.Script
	}
	for _, r := range b.lasting {
		if r.matches(req) {
			return &r.Script
		}
	}
	return &b.healthy
}
