package publish

import (
	"github.com/hybridinference/gateway/shared/wire"
)

// document is a release or a key table ready for NATS.
type document struct {
	key        string
	epoch, gen uint64
	sealed     []byte
	// hash is a release's, nodes those of a canary.
	hash  string
	nodes []string
}

func (p *Publisher) sealRelease(r *wire.Release) (*document, error) {
	body, err := r.Encode()
	if err != nil {
		return nil, err
	}
	d, err := p.seal(wire.ReleaseKey, r.Epoch, r.Number, body)
	if err != nil {
		return nil, err
	}
	d.hash = r.Hash
	return d, nil
}

func (p *Publisher) sealKeys(t *wire.KeyTable) (*document, error) {
	body, err := t.Encode()
	if err != nil {
		return nil, err
	}
	return p.seal(wire.KeyTableKey, t.Epoch, t.Version, body)
}

func (p *Publisher) seal(key string, epoch, gen uint64, body []byte) (*document, error) {
	doc, err := p.o.Signer.Seal(key, epoch, gen, body)
	if err != nil {
		return nil, invalid("%s", err)
	}
	return &document{key: key, epoch: epoch, gen: gen, sealed: doc}, nil
}

func (d *document) is(epoch, gen uint64) bool { return d != nil && d.epoch == epoch && d.gen == gen }
