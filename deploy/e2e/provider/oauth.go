package provider

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
)

// oauth makes access tokens for one service account, as Google does.
type oauth struct {
	key    *rsa.PrivateKey
	url    string
	issued atomic.Int64
}

func newOAuth(url string) (*oauth, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("a service account's key: %w", err)
	}
	return &oauth{key: key, url: url}, nil
}

// ServiceAccount is the JSON file of the account that may use the vertex
// speaker.
func (s *Server) ServiceAccount() (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(s.oauth.key)
	if err != nil {
		return "", err
	}
	file, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "weather", "private_key_id": "k1", "client_email": "gateway@weather.iam.gserviceaccount.com",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": s.oauth.url,
	})
	return string(file), err
}

// current is the token that was given out last.
func (o *oauth) current() string { return fmt.Sprintf("ya29.token-%d", o.issued.Load()) }

// TokensIssued is how often an access token was asked for.
func (s *Server) TokensIssued() int64 { return s.oauth.issued.Load() }

func (o *oauth) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if err := o.verify(r); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"error":"invalid_grant","error_description":%q}`, err)
		return
	}
	o.issued.Add(1)
	_, _ = fmt.Fprintf(w, `{"access_token":%q,"expires_in":3599,"token_type":"Bearer"}`, o.current())
}

// verify checks a JWT bearer grant: its form, its claims and its signature.
func (o *oauth) verify(r *http.Request) error {
	if got := r.FormValue("grant_type"); got != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		return fmt.Errorf("grant_type %q", got)
	}
	signed, signature, ok := cutLast(r.FormValue("assertion"), ".")
	_, payload, ok2 := strings.Cut(signed, ".")
	if !ok || !ok2 {
		return errors.New("the assertion is not a JWT")
	}
	sum := sha256.Sum256([]byte(signed))
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil {
		return err
	}
	if err := rsa.VerifyPKCS1v15(&o.key.PublicKey, crypto.SHA256, sum[:], raw); err != nil {
		return err
	}
	var claims struct {
		Iss   string `json:"iss"`
		Scope string `json:"scope"`
		Aud   string `json:"aud"`
		Iat   int64  `json:"iat"`
		Exp   int64  `json:"exp"`
	}
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &claims); err != nil {
		return err
	}
	if claims.Iss != "gateway@weather.iam.gserviceaccount.com" || claims.Aud != o.url || claims.Exp <= claims.Iat || claims.Exp > claims.Iat+3600 ||
		!strings.Contains(claims.Scope, "https://www.googleapis.com/auth/cloud-platform") {
		return fmt.Errorf("claims %+v", claims)
	}
	return nil
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
