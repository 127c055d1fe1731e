package codec

import (
	"net/netip"
	"strings"
)

// maxMessage bounds what a provider may say to a client through us.
const maxMessage = 500

// Scrub makes a provider's error text fit for clients: URLs, host names,
// addresses and anything that looks like a key are replaced, and the length is
// bounded.
func Scrub(text string) string {
	text = strings.ToValidUTF8(text, "")
	var b strings.Builder
	for i, word := range strings.Fields(text) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(scrubWord(word))
		if b.Len() > maxMessage {
			return b.String()[:maxMessage] + "..."
		}
	}
	return b.String()
}

func scrubWord(word string) string {
	core := strings.Trim(word, `.,;:!?()[]{}<>"'`+"`")
	i := strings.Index(word, core)
	if core == "" || !sensitive(core) {
		return word
	}
	return word[:i] + "[redacted]" + word[i+len(core):]
}

func sensitive(s string) bool {
	if strings.Contains(s, "://") || looksLikeKey(s) {
		return true
	}
	host, _, _ := strings.Cut(s, "/")
	host, port, hasPort := strings.Cut(host, ":")
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	if _, err := netip.ParseAddrPort(s); err == nil {
		return true
	}
	if hasPort && port != "" && strings.Trim(port, "0123456789") == "" && strings.Trim(host, "0123456789") != "" {
		return true // host:port
	}
	return looksLikeHost(host)
}

// looksLikeHost reports names under the domains that providers use. Any dotted
// word would be too much: model names have dots, too.
func looksLikeHost(s string) bool {
	for _, tld := range []string{".com", ".net", ".org", ".ai", ".io", ".cn", ".dev", ".local", ".internal", ".cluster", ".svc", ".lan"} {
		if strings.HasSuffix(strings.ToLower(s), tld) {
			return true
		}
	}
	return false
}

func looksLikeKey(s string) bool {
	for _, prefix := range []string{"sk-", "gsk_", "xai-", "AIza", "hyi-", "cpk_", "rc_", "ya29.", "eyJ", "pk-", "key-"} {
		if strings.HasPrefix(s, prefix) && len(s) > len(prefix)+4 {
			return true
		}
	}
	// a long run of letters and digits that mixes both is a token or an id
	if len(s) < 32 {
		return false
	}
	letters, digits := 0, 0
	for _, ch := range s {
		switch {
		case ch >= '0' && ch <= '9':
			digits++
		case ch >= 'a' && ch <= 'z', ch >= 'A' && ch <= 'Z':
			letters++
		case ch == '-', ch == '_', ch == '*', ch == '.':
		default:
			return false
		}
	}
	return digits >= 4 && letters >= 4
}
