package controlstate

import (
	"encoding/base64"
	"fmt"

	"github.com/hybridinference/gateway/shared/wire"
)

// pack returns a release as column content holds it.
func (s *State) pack(r *wire.Release) (string, error) {
	text, err := r.Encode()
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(s.encoder.EncodeAll(text, nil)), nil
}

// unpack undoes pack and checks the release's hash. The epoch is the state's
// own: a restored backup gets a new one, under which its releases count.
func (s *State) unpack(content string) (*wire.Release, error) {
	packed, err := base64.StdEncoding.DecodeString(content)
	if err != nil {
		return nil, fmt.Errorf("stored content is damaged: %w", err)
	}
	text, err := s.decoder.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("stored content is damaged: %w", err)
	}
	r, err := wire.DecodeRelease(text)
	if err != nil {
		return nil, err
	}
	r.Epoch = s.epoch
	return r, nil
}
