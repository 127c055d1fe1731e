package dispatch

import (
	"errors"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/fault"
)

// redact takes out of a fault what neither clients nor logs and rows may see:
// the endpoint's secrets, by their values, and what an upstream says of the
// operator's account. The fault itself stays as it is: it may be shared.
func (a *attempt) redact(f *fault.Error) *fault.Error {
	out := *f
	switch f.Kind {
	case fault.Authentication, fault.Permission, fault.Payment:
		out.Raw, out.Code = "", ""
	default:
	}
	if a.Endpoint != nil {
		for _, secret := range a.Endpoint.Hidden {
			hide(&out, secret)
		}
		for _, secret := range snapshot.HeaderSecrets(a.auth) {
			hide(&out, secret)
		}
	}
	if !codec.IsCode(out.Code) {
		out.Code = ""
	}
	if out.Message == f.Message && out.Raw == f.Raw && out.Code == f.Code && out.Err == f.Err { //nolint:errorlint // the same value
		return f
	}
	return &out
}

func hide(f *fault.Error, secret string) {
	f.Message = codec.Hide(f.Message, secret)
	f.Raw = codec.Hide(f.Raw, secret)
	f.Code = codec.Hide(f.Code, secret)
	if f.Err == nil {
		return
	}
	said := f.Err.Error()
	if hidden := codec.Hide(said, secret); hidden != said {
		f.Err = errors.New(hidden)
	}
}
