package openai

import (
	"strings"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
)

// Fault implements codec.Adapter.
func (a *Adapter) Fault(status int, body []byte) *fault.Error { return a.profile.faultOf(status, body) }

// faultOf classifies by the server's own codes and phrases first: some hide
// an empty account behind a 429, or any error behind a 200.
func (p *Profile) faultOf(status int, body []byte) *fault.Error {
	r := codec.ReadReport(body)
	plain := codec.Classify(status, r)
	for _, code := range [...]string{r.Code, r.Type} {
		if kind, ok := p.codes[code]; ok && plain.Kind != fault.ContextLength {
			return r.As(kind, status)
		}
	}
	msg := strings.ToLower(r.Message)
	for _, ph := range p.phrases {
		if ph.status == status && strings.Contains(msg, ph.text) {
			return r.As(ph.kind, status)
		}
	}
	return plain
}

func (d *decoder) faultOf(status int, body []byte) *fault.Error {
	return d.profile.faultOf(status, body)
}

// inBand is an error that came inside an answer of status 200.
func (d *decoder) inBand(data []byte) error { return d.faultOf(0, data) }
