package token_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/token"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/secret"
)

// bare leaves no AWS credentials in sight but those that the test gives.
func bare(t *testing.T) {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", none)
	t.Setenv("AWS_CONFIG_FILE", none)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
	} {
		t.Setenv(name, "")
	}
}

func awsOptions(c *clock) token.Options { return token.Options{Region: "eu-north-1", Now: c.now} }

// Keys of variables, and those of a profile, whose file may change.
func TestAWSKeysWithoutEnd(t *testing.T) {
	bare(t)
	c := &clock{}
	s := newSource(t, awsOptions(c))
	if _, err := s.Token(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%v without credentials", err)
	}
	file := filepath.Join(t.TempDir(), "credentials")
	profile := func(key string) {
		t.Helper()
		if err := os.WriteFile(file, []byte("[work]\naws_access_key_id="+key+"\naws_secret_access_key=s\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	profile("AKIA1")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	t.Setenv("AWS_PROFILE", "work")
	c.advance(time.Minute)
	want(t, s, "AKIA1:s")
	profile("AKIA2")
	want(t, s, "AKIA1:s")
	c.advance(time.Hour)
	want(t, s, "AKIA2:s")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIA3")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s3")
	t.Setenv("AWS_SESSION_TOKEN", "a:b")
	want(t, newSource(t, awsOptions(&clock{})), "AKIA3:s3:a:b")
}

// roleKeys are what ECS and the metadata service of EC2 answer with.
func roleKeys(n int, life time.Duration) string {
	return fmt.Sprintf(`{"Code":"Success","AccessKeyId":"ASIA%d","SecretAccessKey":"s","Token":"t","Expiration":"%s"}`, n, time.Now().Add(life).UTC().Format(time.RFC3339))
}

func TestAWSContainerRole(t *testing.T) {
	bare(t)
	n := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "pod" {
			http.Error(w, `{"code":"AccessDenied","message":"no token"}`, http.StatusForbidden)
			return
		}
		n++
		_, _ = w.Write([]byte(roleKeys(n, time.Hour)))
	}))
	t.Cleanup(srv.Close)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("pod"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", srv.URL+"/v1/credentials")
	t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file)
	c := &clock{}
	s := newSource(t, awsOptions(c))
	want(t, s, "ASIA1:s:t")
	want(t, s, "ASIA1:s:t")
	// The library takes five minutes off their life. They are still valid: a
	// request does not wait for the next.
	c.advance(52 * time.Minute)
	want(t, s, "ASIA1:s:t")
	renewed(t, s, "ASIA2:s:t")
}

func TestAWSInstanceRole(t *testing.T) {
	bare(t)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		const roles = "/latest/meta-data/iam/security-credentials/"
		switch {
		case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token":
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
			_, _ = w.Write([]byte("session"))
		case r.Header.Get("X-Aws-Ec2-Metadata-Token") != "session":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == roles:
			_, _ = w.Write([]byte("gateway"))
		case r.URL.Path == roles+"gateway":
			_, _ = w.Write([]byte(roleKeys(7, 6*time.Hour)))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(srv.Close)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", srv.URL)
	want(t, newSource(t, awsOptions(&clock{})), "ASIA7:s:t")
}

// identities is a service that gives tokens to an Azure machine; query and header
// are what has to be asked.
func identities(t *testing.T, query, header, value string) *httptest.Server {
	t.Helper()
	n := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != query || r.Header.Get(header) != value {
			http.Error(w, `{"error":"invalid_request","error_description":"Identity not found"}`, http.StatusBadRequest)
			return
		}
		n++
		_, _ = fmt.Fprintf(w, `{"access_token":"eyJ.%d","expires_on":"%d","token_type":"Bearer"}`, n, time.Now().Add(time.Hour).Unix())
	}))
	t.Cleanup(srv.Close)
	return srv
}

const resource = "resource=https%3A%2F%2Fcognitiveservices.azure.com"

func TestManagedIdentity(t *testing.T) {
	srv := identities(t, "api-version=2018-02-01&client_id=mine&"+resource, "Metadata", "true")
	c := &clock{}
	o := func(text string) token.Options {
		return token.Options{Secret: secret.New(text), Entra: true, Now: c.now}
	}
	s := newSource(t, o(`{"managed_identity":true,"client_id":"mine","token_uri":"`+srv.URL+`"}`))
	want(t, s, "eyJ.1")
	want(t, s, "eyJ.1")
	c.advance(56 * time.Minute)
	want(t, s, "eyJ.1")
	renewed(t, s, "eyJ.2")

	_, err := newSource(t, o(`{"managed_identity":true,"token_uri":"`+srv.URL+`"}`)).Token(t.Context())
	if f := fault.KindOf(err); f != fault.Authentication || !strings.Contains(err.Error(), "Identity not found") {
		t.Errorf("%v", err)
	}
	bad := func(text, message string) {
		t.Helper()
		if _, err := token.New(t.Context(), o(text)); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%v, want %q", err, message)
		}
	}
	bad(`{"managed_identity":true,"client_id":"a","client_secret":"b"}`, "mutually exclusive")
	bad(`{"managed_identity":"yes"}`, "is not valid JSON")
	bad(`{"managed_identity":true,"token_uri":"ftp://x"}`, "must be an http or https URL")
}

func TestManagedIdentityOfAppService(t *testing.T) {
	srv := identities(t, "api-version=2019-08-01&"+resource, "X-Identity-Header", "hunter2")
	variables := map[string]string{"IDENTITY_ENDPOINT": srv.URL + "/msi/token", "IDENTITY_HEADER": "hunter2"}
	s := newSource(t, token.Options{
		Secret: secret.New(`{"managed_identity":true}`), Entra: true,
		Variable: func(name string) (string, bool) { v, ok := variables[name]; return v, ok },
	})
	want(t, s, "eyJ.1")
}

func TestIdentityAnswersThatAreNoTokens(t *testing.T) {
	for _, answer := range []string{``, `{}`, `{"access_token":"a"}`, `{"access_token":"a","expires_on":"soon"}`, `{"access_token":7,"expires_on":1}`} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
		t.Cleanup(srv.Close)
		s := newSource(t, token.Options{Secret: secret.New(`{"managed_identity":true,"token_uri":"` + srv.URL + `"}`), Entra: true})
		if _, err := s.Token(t.Context()); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s: %v", answer, err)
		}
	}
}
