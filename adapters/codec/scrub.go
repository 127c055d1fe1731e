package codec

import (
	"net/netip"
	"strings"
	"unicode/utf8"
)

// maxMessage bounds what a provider may say to a client through us.
const maxMessage = 500

const redacted = "[redacted]"

// Scrub makes a provider's error text fit for clients: URLs, host names,
// addresses and anything that looks like a key are replaced, white space is
// collapsed, and the length is bounded.
func Scrub(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	var b strings.Builder
	bearer := false
	for text != "" && b.Len() <= maxMessage {
		n := strings.IndexFunc(text, delimits)
		if n < 0 {
			n = len(text)
		}
		word := text[:n]
		core := strings.TrimRight(strings.TrimLeft(word, ".!?*"), ".:!?*")
		if core != "" && (bearer || sensitive(core)) {
			at := strings.Index(word, core)
			word = word[:at] + redacted + word[at+len(core):]
		}
		b.WriteString(word)
		if n > 0 {
			bearer = strings.EqualFold(core, "bearer")
		}
		_, size := utf8.DecodeRuneInString(text[n:])
		b.WriteString(text[n : n+size])
		text = text[n+size:]
	}
	if b.Len() > maxMessage {
		return strings.ToValidUTF8(b.String()[:maxMessage], "") + "..."
	}
	return b.String()
}

// shortest is the length from which a secret is known by its value: less would
// be found in ordinary words.
const shortest = 4

// Hide replaces a secret by its value, in whatever case, also where the text was
// cut in the middle of it.
func Hide(text, secret string) string {
	if len(secret) < shortest || len(text) < shortest {
		return text
	}
	if strings.Contains(secret, "/") {
		text = hide(text, strings.ReplaceAll(secret, "/", `\/`)) // as PHP writes JSON
	}
	return hide(text, secret)
}

func hide(text, secret string) string {
	for at := 0; at+len(secret) <= len(text); {
		if strings.EqualFold(text[at:at+len(secret)], secret) {
			text = text[:at] + redacted + text[at+len(secret):]
			at += len(redacted)
		} else {
			at++
		}
	}
	head, cut := strings.CutSuffix(text, "...")
	for n := min(len(secret)-1, len(head)); n >= shortest; n-- {
		if strings.EqualFold(head[len(head)-n:], secret[:n]) {
			if text = head[:len(head)-n] + redacted; cut {
				text += "..."
			}
			break
		}
	}
	return text
}

// IsCode reports whether text has the form of a provider's error code: at most
// 64 characters of [A-Za-z0-9_.:-].
func IsCode(text string) bool {
	return len(text) <= 64 && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_.:-", r)
	})
}

// Redact replaces what looks like a key, and what follows "Bearer", and leaves
// the rest unchanged: for prompts and answers that are to be stored.
func Redact(text string) string {
	var b strings.Builder
	bearer := false
	for text != "" {
		n := strings.IndexFunc(text, func(r rune) bool { return delimits(r) || r == '\n' || r == '\t' })
		if n < 0 {
			n = len(text)
		}
		word := text[:n]
		core := strings.Trim(word, ".:!?*")
		if core != "" && (bearer || looksLikeKey(core)) {
			word = strings.Replace(word, core, redacted, 1)
		}
		b.WriteString(word)
		if n > 0 {
			bearer = strings.EqualFold(core, "bearer")
		}
		_, size := utf8.DecodeRuneInString(text[n:])
		b.WriteString(text[n : n+size])
		text = text[n+size:]
	}
	return b.String()
}

// delimits reports what separates words: an error body is often JSON in one
// line, or a page of HTML.
func delimits(r rune) bool { return strings.ContainsRune(" \"'`<>(){}[],;|\\", r) }

func sensitive(s string) bool {
	if strings.Contains(s, "://") || looksLikeKey(s) || looksLikeMail(s) || looksLikeAccount(s) {
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
	if _, err := netip.ParseAddr(s); err == nil && strings.Contains(s, ":") {
		return true
	}
	if hasPort && port != "" && strings.Trim(port, "0123456789") == "" && isName(host) {
		return true // host:port
	}
	return looksLikeHost(host)
}

// isName reports a host name without dots or with: letters first.
func isName(s string) bool {
	return s != "" && strings.Trim(s, "0123456789.") != "" && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789.-_") == ""
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

// looksLikeMail reports addresses: something before and a dot somewhere behind.
func looksLikeMail(s string) bool {
	user, domain, found := strings.Cut(s, "@")
	return found && user != "" && strings.Contains(domain, ".")
}

// looksLikeAccount reports the ids that providers give to their customers.
func looksLikeAccount(s string) bool {
	lower := strings.ToLower(s)
	for _, prefix := range []string{"org-", "org_", "orgs/", "organizations/", "proj-", "proj_", "projects/", "acct-", "acct_", "account-", "account_", "accounts/", "user-", "user_", "users/", "team-", "team_", "ws-", "ws_", "workspace-"} {
		if rest, found := strings.CutPrefix(lower, prefix); found && len(rest) >= 4 && (strings.HasSuffix(prefix, "/") || strings.ContainsAny(rest, "0123456789")) {
			return true
		}
	}
	return false
}

// looksLikeKey reports words that begin like a provider's keys, or hold one
// after a colon or an equals sign, and long runs that mix letters and digits.
func looksLikeKey(s string) bool {
	if i := strings.LastIndexAny(s, ":="); i >= 0 && looksLikeKey(s[i+1:]) {
		return true
	}
	for _, prefix := range []string{"sk-", "gsk_", "xai-", "AIza", "hyi-", "cpk_", "rc_", "ya29.", "eyJ", "pk-", "key-"} {
		if strings.HasPrefix(s, prefix) && len(s) > len(prefix)+4 {
			return true
		}
	}
	return len(s) >= 32 && isRandom(s)
}

func isRandom(s string) bool {
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
