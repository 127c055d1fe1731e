package env

import "net/netip"

// Proxies reads whose X-Forwarded-For is believed: TRUSTED_PROXIES, or
// everybody's with TRUST_PROXY_HEADERS alone.
func (r *Reader) Proxies() []netip.Prefix {
	list := r.List("TRUSTED_PROXIES", "networks whose X-Forwarded-For is believed, such as 10.0.0.0/8")
	if r.Bool("TRUST_PROXY_HEADERS", false, "believe X-Forwarded-For; from anywhere, if TRUSTED_PROXIES is not set") && len(list) == 0 {
		list = []string{"0.0.0.0/0", "::/0"}
	}
	var out []netip.Prefix
	for _, text := range list {
		p, err := parseNetwork(text)
		if err != nil {
			r.Problemf("TRUSTED_PROXIES must list addresses or networks such as 10.0.0.0/8, got %q", text)
		}
		out = append(out, p)
	}
	return out
}

func parseNetwork(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	return netip.ParsePrefix(text)
}
