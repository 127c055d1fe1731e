package sigv4_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/sigv4"
)

func TestSign(t *testing.T) {
	s, err := sigv4.New(" AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY:tok:en\n", "bedrock", "us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	call := codec.Call{URL: "https://bedrock-runtime.us-east-1.amazonaws.com/model/a.b-v1:0/converse", Body: []byte(`{}`), Headers: []codec.Header{{Name: "X-Own", Value: "1"}}}
	sign := func(at time.Time) map[string]string {
		t.Helper()
		if err := s.Sign(&call, at); err != nil {
			t.Fatal(err)
		}
		if len(call.Headers) != 4 {
			t.Fatalf("%v", call.Headers)
		}
		out := map[string]string{}
		for _, h := range call.Headers {
			out[h.Name] = h.Value
		}
		return out
	}
	at := time.Date(2026, 8, 30, 12, 36, 0, 0, time.UTC)
	first := sign(at)
	const want = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260830/us-east-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token, Signature="
	if !strings.HasPrefix(first["Authorization"], want) || first["X-Amz-Date"] != "20260830T123600Z" || first["X-Amz-Security-Token"] != "tok:en" {
		t.Errorf("%v", first)
	}
	if again := sign(at); again["Authorization"] != first["Authorization"] {
		t.Error("the same call is signed in another way")
	}
	call.Body = []byte(`{"a":1}`)
	if other := sign(at); other["Authorization"] == first["Authorization"] {
		t.Error("another body has the same signature")
	}
	if later := sign(at.Add(time.Minute)); later["X-Amz-Date"] != "20260830T123700Z" {
		t.Errorf("%v", later)
	}
}

func TestKeys(t *testing.T) {
	for _, secret := range []string{"", "AKID", ":secret", "AKID:"} {
		if _, err := sigv4.New(secret, "bedrock", "us-east-1"); err == nil || !strings.Contains(err.Error(), "ACCESS_KEY_ID:SECRET_ACCESS_KEY") || strings.Contains(err.Error(), "AKID:") {
			t.Errorf("%q: %v", secret, err)
		}
	}
}
