package env

import "net/netip"

// Proxies say whose X-Forwarded-For is believed.
type Proxies struct {
	Networks []netip.Prefix `env:"TRUSTED_PROXIES" help:"networks whose X-Forwarded-For is trusted, such as 10.0.0.0/8, separated by commas"`
	Any      bool           `env:"TRUST_PROXY_HEADERS" default:"false" help:"trust X-Forwarded-For of TRUSTED_PROXIES, or from any address if that is not set"`
}

// List returns the trusted networks: every address with TRUST_PROXY_HEADERS alone.
func (p *Proxies) List() []netip.Prefix {
	if p.Any && len(p.Networks) == 0 {
		return []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	}
	return p.Networks
}
