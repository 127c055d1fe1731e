package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// DecodeRelease reads a release and checks that its hash is that of its content.
func DecodeRelease(b []byte) (*Release, error) { return new(ReleaseDecoder).Decode(b) }

// ReleaseDecoder reads one release after the other. Most of them change little:
// what a model's JSON was decoded to before is used again, so that no caller may
// change it. The zero value is ready; it is not for concurrent use.
type ReleaseDecoder struct{ known map[string]knownModel }

type knownModel struct {
	text  string
	model Model
}

// Decode reads a release and checks that its hash is that of its content: of
// the text, so that fields which this program does not know are in it.
func (d *ReleaseDecoder) Decode(b []byte) (*Release, error) {
	var r Release
	var snapshot []byte
	var c rawjson.Cursor
	c.Reset(b)
	c.Object()
	for key, more := c.Key(); more; key, more = c.Key() {
		var err error
		value := c.Raw()
		if c.Err() != nil {
			break
		}
		switch string(key) {
		case "v":
			err = json.Unmarshal(value, &r.V)
		case "epoch":
			err = json.Unmarshal(value, &r.Epoch)
		case "number":
			err = json.Unmarshal(value, &r.Number)
		case "time":
			err = json.Unmarshal(value, &r.Time)
		case "author":
			err = json.Unmarshal(value, &r.Author)
		case "reason":
			err = json.Unmarshal(value, &r.Reason)
		case "hash":
			err = json.Unmarshal(value, &r.Hash)
		case "snapshot":
			snapshot = value
		}
		if err != nil {
			return nil, fmt.Errorf("release: not readable: %s: %w", key, err)
		}
	}
	if err := c.End(); err != nil {
		return nil, fmt.Errorf("release: not readable: %w", err)
	}
	if r.V < 1 || r.V > Version {
		return nil, fmt.Errorf("release: version %d, this program reads up to %d", r.V, Version)
	}
	if snapshot != nil {
		if err := d.snapshot(snapshot, &r.Snapshot); err != nil {
			return nil, fmt.Errorf("release: not readable: %w", err)
		}
	}
	return &r, check(&r, snapshot)
}

// check compares the hash with the text, and with what it says should it have
// been written with other blanks.
func check(r *Release, snapshot []byte) error {
	sum := sha256.Sum256(snapshot)
	if hex.EncodeToString(sum[:]) == r.Hash {
		return nil
	}
	meant, err := r.Snapshot.Sum()
	if err != nil {
		return err
	}
	if meant != r.Hash {
		return fmt.Errorf("release %d: content hash %.12s does not match the announced %.12s", r.Number, meant, r.Hash)
	}
	return nil
}

func (d *ReleaseDecoder) snapshot(b []byte, s *Snapshot) error {
	if rawjson.IsNull(b) || b[0] != '{' {
		return errors.New("snapshot is not an object")
	}
	for key, value := range rawjson.Members(b) {
		var err error
		switch string(key) {
		case "default_model":
			err = json.Unmarshal(value, &s.DefaultModel)
		case "models":
			s.Models, err = d.models(value)
		case "health_check":
			err = json.Unmarshal(value, &s.HealthCheck)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

func (d *ReleaseDecoder) models(b []byte) ([]Model, error) {
	if rawjson.IsNull(b) {
		return nil, nil
	}
	if b[0] != '[' {
		return nil, errors.New("not a list")
	}
	known := make(map[string]knownModel, len(d.known))
	list := make([]Model, 0, len(d.known))
	for text := range rawjson.Elements(b) {
		k, ok := d.known[string(text)]
		if !ok {
			k.text = string(text)
			if err := json.Unmarshal(text, &k.model); err != nil {
				return nil, err
			}
		}
		known[k.text] = k
		list = append(list, k.model)
	}
	d.known = known
	return list, nil
}
