package server_test

import (
	"net/netip"
	"strconv"
	"testing"

	"github.com/hybridinference/gateway/controlplane/app"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

func TestGuessingTheTokenGetsSlow(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), func(o *app.Options) { o.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	try := func(from, token string, want int) string {
		t.Helper()
		status, text, header := p.raw("GET", "/admin/status", "", map[string]string{"X-Forwarded-For": "1.2.3.4, " + from, "Authorization": "Bearer " + token})
		if status != want {
			t.Fatalf("from %s: %d %s, want %d", from, status, text, want)
		}
		return header.Get("Retry-After")
	}
	for range 5 {
		try("10.0.0.9", "wrong", 401)
	}
	if after := try("10.0.0.9", "wrong", 429); after != "1" {
		t.Errorf("Retry-After %q", after)
	}
	try("10.0.0.9", token, 200)    // the right one is let in from the same address
	try("10.0.0.10", "wrong", 401) // another address is not locked
	for range 4 {
		try("2001:db8::1", "wrong", 401)
	}
	try("2001:db8::1", token, 200) // the right one wipes the slate
	for i := range 5 {
		try("2001:db8::"+strconv.Itoa(i+2), "wrong", 401) // one customer's network
	}
	try("2001:db8::99", "wrong", 429)
	var log []struct{ Action, Target, Author string }
	p.call("GET", "/admin/audit?limit=10", "", 200, &log)
	found := map[string]int{}
	for _, e := range log {
		if e.Action == "login.failed" {
			found[e.Target]++
		}
	}
	if found["10.0.0.9"] != 2 || found["2001:db8::1"] != 1 || found["2001:db8::6"] != 1 {
		t.Errorf("the audit log has %v", found)
	}
}

// A guesser with many addresses does not fill the audit log.
func TestFailedLoginsAreRecordedUpToABound(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), func(o *app.Options) { o.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	for i := range 100 {
		p.raw("GET", "/admin/status", "", map[string]string{"X-Forwarded-For": "10.1.0." + strconv.Itoa(i), "Authorization": "Bearer wrong"})
	}
	var log []struct{ Action string }
	p.call("GET", "/admin/audit?limit=200", "", 200, &log)
	rows := 0
	for _, e := range log {
		if e.Action == "login.failed" {
			rows++
		}
	}
	if rows != 20 {
		t.Errorf("%d failed logins are recorded, want 20", rows)
	}
}
