package openai

import (
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
)

// Fault implements codec.Adapter.
func (a *Adapter) Fault(status int, body []byte) *fault.Error { return faultOf(status, body) }

func faultOf(status int, body []byte) *fault.Error {
	return codec.Classify(status, codec.ReadReport(body))
}

// inBand is an error that came inside an answer of status 200.
func inBand(data []byte) error { return faultOf(0, data) }
